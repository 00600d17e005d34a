// What changes the request, the response and the variables.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Xml.Linq;
using Newtonsoft.Json.Linq;

public sealed partial class Call
{
    // "Expressions used in the set-variable policy must return one of the following types."
    private static readonly HashSet<Type> VariableTypes = new HashSet<Type>
    {
        typeof(bool), typeof(sbyte), typeof(sbyte[]), typeof(byte), typeof(byte[]),
        typeof(ushort), typeof(uint), typeof(ulong), typeof(short), typeof(int), typeof(long),
        typeof(decimal), typeof(float), typeof(double),
        typeof(Guid), typeof(string), typeof(char), typeof(DateTime), typeof(TimeSpan),
        typeof(JArray), typeof(JConstructor), typeof(JProperty), typeof(JObject), typeof(JRaw), typeof(JValue),
    };

    private void SetVariable(XElement element)
    {
        var value = AttributeValue(element, "value");
        if (value != null && !VariableTypes.Contains(value.GetType()))
        {
            throw Mistake(element, "a variable cannot be a " + value.GetType().FullName);
        }
        context.Values[Text(element, "name")] = value;
    }

    private void SetHeader(XElement element)
    {
        SetFields(AboutTheRequest ? context.Incoming.Fields : Answer(element).Fields, element);
    }

    private void SetFields(Headers fields, XElement element)
    {
        var name = Text(element, "name");
        var action = Text(element, "exists-action", "override");
        var values = element.Elements("value").Select(value => Text(value)).ToArray();
        string[] existing;
        var exists = fields.TryGetValue(name, out existing);
        switch (action)
        {
            case "delete":
                fields.Remove(name);
                break;
            case "skip":
                fields[name] = exists ? existing : values;
                break;
            case "append":
                fields[name] = exists ? existing.Concat(values).ToArray() : values;
                break;
            case "override":
                fields[name] = values;
                break;
            default:
                throw Mistake(element, "exists-action is override, skip, append or delete, not " + action);
        }
    }

    private void SetBody(XElement element)
    {
        // The old body is looked for after the expression: As<T>() without preserveContent is how it is read here.
        var body = NewBody(element);
        if (AboutTheRequest)
        {
            RequireBody(element, context.Incoming.Content);
            context.Incoming.Content = body;
            return;
        }
        RequireBody(element, context.Outgoing.Content);
        context.Outgoing.Content = body;
    }

    // "If this policy is used when there's no message body [...] an exception is thrown."
    private void RequireBody(XElement element, Body body)
    {
        if (body == null)
        {
            throw Mistake(element, "there is no message body to set");
        }
    }

    private Body NewBody(XElement element)
    {
        var value = Value(element, element.Value);
        var bytes = value as byte[];
        return bytes == null ? new Body(AsText(value)) : new Body(bytes, true);
    }

    private Response Answer(XElement element)
    {
        if (context.Outgoing == null)
        {
            throw Mistake(element, "there is no response yet");
        }
        return context.Outgoing;
    }

    private void SetStatus(Response answer, XElement element)
    {
        answer.StatusCode = (int)Number(element, "code");
        answer.StatusReason = Text(element, "reason", "");
    }

    private void SetBackendService(XElement element)
    {
        var id = Text(element, "backend-id");
        var address = id == null ? Text(element, "base-url", "") : given.BackendUrl(id);
        if (!Uri.IsWellFormedUriString(address, UriKind.Absolute))
        {
            throw Mistake(element, "base-url is no address: " + address);
        }
        context.Incoming.Target.SetBase(address);
    }

    private void RewriteUri(XElement element)
    {
        var template = Text(element, "template");
        foreach (var parameter in context.Incoming.MatchedParameters)
        {
            template = template.Replace("{" + parameter.Key + "}", parameter.Value);
        }
        var target = context.Incoming.Target;
        if (!Flag(element, "copy-unmatched-params", true))
        {
            target.Parameters.Clear();
        }
        var question = template.IndexOf('?');
        target.Relative = question < 0 ? template : template.Substring(0, question);
        if (question < 0)
        {
            return;
        }
        foreach (var pair in template.Substring(question + 1).Split('&').Select(pair => pair.Split(new[] { '=' }, 2)))
        {
            target.Parameters[pair[0]] = new[] { pair.Length > 1 ? pair[1] : "" };
        }
    }
}
