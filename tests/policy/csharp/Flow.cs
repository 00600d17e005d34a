// Control flow, the backend, and the way out.
using System;
using System.Linq;
using System.Xml.Linq;
using Newtonsoft.Json.Linq;

public sealed partial class Call
{
    private bool forwarded;

    private void Choose(XElement element)
    {
        foreach (var branch in element.Elements())
        {
            if (branch.Name == "otherwise" || Flag(branch, "condition"))
            {
                Walk(branch.Elements());
                return;
            }
        }
    }

    private void Retry(XElement element)
    {
        Walk(element.Elements());
        var count = (int)Number(element, "count");
        for (var attempt = 1; attempt <= count && Flag(element, "condition"); attempt++)
        {
            var first = attempt == 1 && Flag(element, "first-fast-retry");
            outcome.RetryWaits.Add(first ? 0 : RetryWait(element, attempt));
            Walk(element.Elements());
        }
    }

    // The reference's formulas, with the middle of its random factor.
    private double RetryWait(XElement element, int attempt)
    {
        var interval = Number(element, "interval");
        var delta = Number(element, "delta");
        if (element.Attribute("max-interval") == null)
        {
            return interval + (attempt - 1) * delta;
        }
        return Math.Min(interval + (Math.Pow(2, attempt - 1) - 1) * delta, Number(element, "max-interval"));
    }

    private void Forward(XElement element)
    {
        SendRequest(element, Flag(element, "buffer-request-body"));
        var answer = given.NextAnswer();
        if (answer.Type == JTokenType.String)
        {
            outcome.BackendAnswered = false;
            outcome.LastBackendBody = null;
            throw NoAnswer((string)answer);
        }
        context.Outgoing = Case.MakeResponse((JObject)answer);
        outcome.BackendAnswered = true;
        outcome.LastBackendBody = context.Outgoing.Content;
        if (context.Outgoing.Content != null)
        {
            backendBodies.Add(context.Outgoing.Content);
        }
        TellLimits();
    }

    private void SendRequest(XElement element, bool buffer)
    {
        var body = context.Incoming.Content;
        if (body != null)
        {
            body.Buffered = body.Buffered || buffer;
            if (forwarded && !body.Buffered)
            {
                throw Mistake(element, "the request body was sent already; buffer-request-body keeps it for a retry");
            }
            outcome.SentBody = body.Remaining;
            body.Sent = !buffer;
        }
        forwarded = true;
        outcome.SentHeaders = new Headers();
        foreach (var field in context.Incoming.Fields)
        {
            outcome.SentHeaders[field.Key] = field.Value;
        }
        outcome.BackendUrls.Add(context.Incoming.Target.ToString());
    }

    private static GatewayError NoAnswer(string how)
    {
        switch (how)
        {
            case "timeout":
                return new GatewayError("forward-request", "Timeout", "The backend did not answer in time.", 500);
            case "refused":
                return new GatewayError(
                    "forward-request", "BackendConnectionFailure", "The backend could not be reached.", 500);
            default:
                throw new ArgumentException("a backend that does not answer is \"timeout\" or \"refused\", not " + how);
        }
    }

    private void ReturnResponse(XElement element)
    {
        var answer = new Response { StatusCode = 200, StatusReason = "OK" };
        foreach (var child in element.Elements())
        {
            switch (child.Name.LocalName)
            {
                case "set-status":
                    SetStatus(answer, child);
                    break;
                case "set-header":
                    SetFields(answer.Fields, child);
                    break;
                default:
                    answer.Content = NewBody(child);
                    break;
            }
        }
        throw new Returned(answer);
    }

    private void LogToEventHub(XElement element)
    {
        var key = element.Attribute("partition-key") == null ? null : Text(element, "partition-key");
        outcome.Log(Text(element, "logger-id"), key, Text(element));
    }
}
