// A message body with the reference's semantics: read without preserveContent, it is gone.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Net;
using System.Text;
using System.Xml.Linq;
using Newtonsoft.Json.Linq;

public sealed class Body : IMessageBody
{
    private static readonly UTF8Encoding Utf8 = new UTF8Encoding(false);

    public Body(byte[] bytes, bool buffered = false)
    {
        Bytes = bytes;
        Buffered = buffered;
    }

    public Body(string text) : this(Utf8.GetBytes(text), true)
    {
    }

    public byte[] Bytes { get; private set; }

    // The gateway holds all of it, so that it can be sent twice.
    public bool Buffered { get; set; }

    public bool Consumed { get; private set; }

    // Forwarded: no expression can read it any more.
    public bool Sent { get; set; }

    public int Reads { get; private set; }

    // What still can be sent on: nothing, if an expression took the stream.
    public byte[] Remaining
    {
        get { return Consumed ? new byte[0] : Bytes; }
    }

    public T As<T>(bool preserveContent = false)
    {
        var text = Read(preserveContent);
        object value;
        if (typeof(T) == typeof(string))
        {
            value = text;
        }
        else if (typeof(T) == typeof(byte[]))
        {
            value = Bytes.ToArray();
        }
        else if (typeof(T) == typeof(JObject))
        {
            value = JObject.Parse(text);
        }
        else if (typeof(T) == typeof(JArray))
        {
            value = JArray.Parse(text);
        }
        else if (typeof(T) == typeof(JToken))
        {
            value = JToken.Parse(text);
        }
        else if (typeof(T) == typeof(XElement) || typeof(T) == typeof(XNode))
        {
            value = XElement.Parse(text);
        }
        else if (typeof(T) == typeof(XDocument))
        {
            value = XDocument.Parse(text);
        }
        else
        {
            throw new NotSupportedException("IMessageBody.As<" + typeof(T).Name + "> is not documented");
        }
        return (T)value;
    }

    public IDictionary<string, IList<string>> AsFormUrlEncodedContent(bool preserveContent = false)
    {
        var form = new Dictionary<string, IList<string>>();
        foreach (var pair in Read(preserveContent).Split(new[] { '&' }, StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = pair.IndexOf('=');
            var name = WebUtility.UrlDecode(equals < 0 ? pair : pair.Substring(0, equals));
            if (!form.ContainsKey(name))
            {
                form[name] = new List<string>();
            }
            form[name].Add(equals < 0 ? "" : WebUtility.UrlDecode(pair.Substring(equals + 1)));
        }
        return form;
    }

    private string Read(bool preserveContent)
    {
        if (Consumed || Sent)
        {
            throw new InvalidOperationException(
                "the message body is gone: it was read without preserveContent, or sent on already");
        }
        Reads++;
        if (preserveContent)
        {
            Buffered = true;
        }
        else
        {
            Consumed = true;
        }
        return Utf8.GetString(Bytes);
    }
}
