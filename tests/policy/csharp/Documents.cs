// The policy document and its fragments, with `@expression:<number>` where their expressions were.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;
using System.Xml;
using System.Xml.Linq;

public sealed class Documents
{
    private const string Token = "@expression:";

    private readonly Dictionary<string, XElement> fragments = new Dictionary<string, XElement>();
    private readonly Dictionary<XDocument, string> labels = new Dictionary<XDocument, string>();
    private readonly Dictionary<string, Func<IProxyRequestContext, object>> expressions;

    // `files`: a fragment's id (nothing for the policy itself), what to call the file, its path; again and again.
    public Documents(string assembly, string[] files)
    {
        expressions = Assembly.LoadFrom(assembly).GetType("PolicyExpressions")
            .GetMethods(BindingFlags.Public | BindingFlags.Static)
            .ToDictionary(
                method => Token + method.Name.Substring(1),
                method => (Func<IProxyRequestContext, object>)Delegate.CreateDelegate(
                    typeof(Func<IProxyRequestContext, object>), method));
        for (var i = 0; i < files.Length; i += 3)
        {
            var document = XDocument.Load(files[i + 2], LoadOptions.SetLineInfo | LoadOptions.PreserveWhitespace);
            labels[document] = files[i + 1];
            if (files[i].Length == 0)
            {
                Policy = document.Root;
            }
            else
            {
                fragments[files[i]] = document.Root;
            }
        }
    }

    public XElement Policy { get; private set; }

    public XElement Fragment(string id)
    {
        return fragments[id];
    }

    // Null: the text is no expression.
    public Func<IProxyRequestContext, object> Expression(string text)
    {
        if (text.IndexOf(Token, StringComparison.Ordinal) < 0)
        {
            return null;
        }
        return expressions[text.Trim()];
    }

    public string Place(XElement element)
    {
        return labels[element.Document] + ":" + ((IXmlLineInfo)element).LineNumber;
    }

    // As the reference has it: "choose[3]/when[2]", of the elements around this one.
    public static string PathTo(XElement element)
    {
        var around = element.Ancestors().Where(outer => outer.Parent != null && outer.Parent.Name != "policies");
        return string.Join("/", around.Reverse().Select(
            outer => outer.Name.LocalName + "[" + (outer.ElementsBeforeSelf(outer.Name).Count() + 1) + "]"));
    }
}
