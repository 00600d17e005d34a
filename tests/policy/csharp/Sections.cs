// One call through the sections: inbound, backend, outbound; on-error when something fails.
using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text;
using System.Threading;
using System.Xml.Linq;
using Newtonsoft.Json;
using Newtonsoft.Json.Linq;

public sealed partial class Call
{
    private readonly Documents documents;
    private readonly Case given;
    private readonly Context context;
    private readonly Outcome outcome = new Outcome();
    private readonly List<Body> backendBodies = new List<Body>();
    private readonly Dictionary<string, Action<XElement>> policies;
    private string section;

    private Call(Documents documents, Case given)
    {
        this.documents = documents;
        this.given = given;
        context = given.MakeContext();
        policies = new Dictionary<string, Action<XElement>>
        {
            { "authentication-managed-identity", ManagedIdentity },
            { "azure-openai-emit-token-metric", EmitTokenMetric },
            { "azure-openai-token-limit", LimitTokens },
            { "base", _ => Base() },
            { "check-header", CheckHeader },
            { "choose", Choose },
            { "forward-request", Forward },
            { "include-fragment", element => Walk(documents.Fragment(Text(element, "fragment-id")).Elements()) },
            { "llm-emit-token-metric", EmitTokenMetric },
            { "llm-token-limit", LimitTokens },
            { "log-to-eventhub", LogToEventHub },
            { "quota", LimitCalls },
            { "quota-by-key", LimitCalls },
            { "rate-limit", LimitCalls },
            { "rate-limit-by-key", LimitCalls },
            { "retry", Retry },
            { "return-response", ReturnResponse },
            { "rewrite-uri", RewriteUri },
            { "set-backend-service", SetBackendService },
            { "set-body", SetBody },
            { "set-header", SetHeader },
            { "set-query-parameter", element => SetFields(context.Incoming.Target.Parameters, element) },
            { "set-status", element => SetStatus(Answer(element), element) },
            { "set-variable", SetVariable },
            { "validate-azure-ad-token", ValidateToken },
            { "validate-jwt", ValidateToken },
        };
    }

    private bool AboutTheRequest
    {
        get { return section == "inbound" || section == "backend"; }
    }

    public static Outcome Run(Documents documents, Case given)
    {
        var call = new Call(documents, given);
        // Unless the case says otherwise the managed gateway's: what ToString makes of a time must not depend on this machine.
        Thread.CurrentThread.CurrentCulture = new CultureInfo((string)given["culture"] ?? "en-US");
        call.outcome.Answer = call.Through();
        call.outcome.BodyReads = call.backendBodies.Sum(body => body.Reads);
        return call.outcome;
    }

    private Response Through()
    {
        try
        {
            Section("inbound");
            ExpectTokens();
            Section("backend");
            Section("outbound");
            return context.Outgoing ?? new Response { StatusCode = 200, StatusReason = "OK" };
        }
        catch (Returned returned)
        {
            return returned.Answer;
        }
        catch (GatewayError error)
        {
            return OnError(error);
        }
    }

    private Response OnError(GatewayError error)
    {
        Note(error);
        outcome.Error = error.Place ?? Place(error, null);
        context.LastError = outcome.Error;
        var failure = given["failure"] as JObject ?? new JObject();
        var kept = (bool?)failure["keepsResponse"] ?? false;
        context.Outgoing = (bool?)failure["noResponse"] ?? false ? null : kept ? context.Outgoing : ErrorAnswer(error);
        try
        {
            Section("on-error");
        }
        catch (Returned returned)
        {
            return returned.Answer;
        }
        catch (GatewayError second)
        {
            Note(second);
            error = second;
            context.Outgoing = ErrorAnswer(second);
        }
        context.Outgoing = context.Outgoing ?? ErrorAnswer(error);
        if (context.Outgoing.Content == null)
        {
            context.Outgoing.Fields["Content-Type"] = new[] { "application/json" };
            context.Outgoing.Content = ErrorBody(context.Outgoing.StatusCode, error.ClientMessage);
        }
        return context.Outgoing;
    }

    private void Note(GatewayError error)
    {
        var mistake = error as PolicyMistake;
        if (mistake != null)
        {
            outcome.Thrown.Add(mistake.Thrown);
        }
    }

    private Response ErrorAnswer(GatewayError error)
    {
        var answer = new Response { StatusCode = error.Status, StatusReason = "Error" };
        foreach (var field in limitFields)
        {
            answer.Fields[field.Key] = field.Value;
        }
        return answer;
    }

    private static Body ErrorBody(int status, string message)
    {
        var json = new JObject { { "statusCode", status }, { "message", message } };
        return new Body(json.ToString(Formatting.None));
    }

    private void Section(string name)
    {
        section = name;
        FailIfTheCaseSaysSo(false);
        var element = documents.Policy.Element(name);
        if (element == null)
        {
            Base();
        }
        else
        {
            Walk(element.Elements());
        }
        FailIfTheCaseSaysSo(true);
    }

    private void FailIfTheCaseSaysSo(bool after)
    {
        var failure = given["failure"] as JObject;
        if (failure == null || (string)failure["section"] != section || ((bool?)failure["after"] ?? false) != after)
        {
            return;
        }
        throw new GatewayError(
            (string)failure["source"], (string)failure["reason"], (string)failure["message"] ?? "",
            (int?)failure["status"] ?? 500);
    }

    // What stands above the API: nothing but the global policy's forward-request.
    private void Base()
    {
        if (section == "backend")
        {
            Forward(new XElement("forward-request"));
        }
    }

    private void Walk(IEnumerable<XElement> elements)
    {
        foreach (var element in elements)
        {
            Apply(element);
        }
    }

    private void Apply(XElement element)
    {
        try
        {
            policies[element.Name.LocalName](element);
        }
        catch (GatewayError error) when (error.Place == null)
        {
            error.Place = Place(error, element);
            throw;
        }
    }

    private LastError Place(GatewayError error, XElement element)
    {
        return new LastError
        {
            Message = error.Message,
            Path = element == null ? null : Documents.PathTo(element),
            PolicyId = element == null ? null : (string)element.Attribute("id"),
            Reason = error.Reason,
            Scope = element == null ? null : "api",
            Section = section,
            Source = error.Source,
        };
    }
}
