// Who may call, and how much: stand-ins that do what the case says, with the documented variables, headers and errors.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Xml.Linq;
using Newtonsoft.Json.Linq;

public sealed partial class Call
{
    private const string GatewayToken = "gateway-token";

    private readonly Headers limitFields = new Headers();
    private readonly List<XElement> tokenLimits = new List<XElement>();

    private JObject Limits
    {
        get { return given["limits"] as JObject ?? new JObject(); }
    }

    private void ManagedIdentity(XElement element)
    {
        Text(element, "resource");
        var variable = Text(element, "output-token-variable-name");
        if (variable != null)
        {
            context.Values[variable] = GatewayToken;
            return;
        }
        context.Incoming.Fields["Authorization"] = new[] { "Bearer " + GatewayToken };
    }

    // Valid, unless the case's `tokens` says otherwise: false, a reason, or {"reason", "message"}.
    private void ValidateToken(XElement element)
    {
        var token = TokenOf(element);
        var refusal = Refusal(token);
        if (refusal != null)
        {
            var status = (int)Number(element, "failed-validation-httpcode", 401);
            var error = new GatewayError(element.Name.LocalName, refusal[0], refusal[1], status);
            error.ClientMessage = Text(element, "failed-validation-error-message", refusal[1]);
            throw error;
        }
        var variable = Text(element, "output-token-variable-name");
        if (variable != null)
        {
            context.Values[variable] = token.AsJwt();
        }
    }

    private string TokenOf(XElement element)
    {
        var value = Text(element, "token-value");
        if (value != null)
        {
            return value;
        }
        var parameter = Text(element, "query-parameter-name");
        return parameter == null
            ? context.Request.Headers.GetValueOrDefault(Text(element, "header-name", "Authorization"), "")
            : context.Request.OriginalUrl.Query.GetValueOrDefault(parameter, "");
    }

    private string[] Refusal(string token)
    {
        if (token.Length == 0)
        {
            return new[] { "TokenNotPresent", "JWT not present." };
        }
        var said = given["tokens"];
        if (said == null || said.Type == JTokenType.Null || (said.Type == JTokenType.Boolean && (bool)said))
        {
            return null;
        }
        var reason = said.Type == JTokenType.String ? (string)said : said is JObject ? (string)said["reason"] : null;
        var message = said is JObject ? (string)said["message"] : null;
        return new[] { reason ?? "JwtInvalid", message ?? "The token is not valid. Access denied." };
    }

    private void CheckHeader(XElement element)
    {
        var name = Text(element, "name");
        var allowed = element.Elements("value").Select(value => Text(value)).ToList();
        var compare = Flag(element, "ignore-case") ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal;
        var found = context.Request.Headers.GetValueOrDefault(name);
        if (found != null && (allowed.Count == 0 || allowed.Contains(found, compare)))
        {
            return;
        }
        var reason = found == null ? "HeaderNotFound" : "HeaderValueNotAllowed";
        var message = found == null
            ? "Header " + name + " was not found in the request. Access denied."
            : "Header " + name + " value of " + found + " is not allowed. Access denied.";
        var error = new GatewayError("check-header", reason, message, (int)Number(element, "failed-check-httpcode"));
        error.ClientMessage = Text(element, "failed-check-error-message");
        throw error;
    }

    private void EmitTokenMetric(XElement element)
    {
        foreach (var dimension in element.Elements("dimension"))
        {
            outcome.Dimensions.Add(Text(dimension, "name") + "=" + Text(dimension, "value"));
        }
    }

    private void LimitCalls(XElement element)
    {
        Text(element, "counter-key");
        Remain(element, "remaining-calls", "remainingCalls", 9);
        Announce(element, "total-calls-header-name", Text(element, "calls"));
        var quota = element.Name.LocalName.StartsWith("quota", StringComparison.Ordinal);
        RefuseIfExceeded(element, quota, quota ? "QuotaExceeded" : "RateLimitExceeded");
    }

    private void LimitTokens(XElement element)
    {
        outcome.CounterKeys.Add(Text(element, "counter-key"));
        Text(element, "tokens-per-minute");
        Remain(element, "remaining-tokens", "remainingTokens", 1000);
        Remain(element, "remaining-quota-tokens", "remainingQuotaTokens", 100000);
        var quota = (bool?)Limits["quota"] ?? false;
        RefuseIfExceeded(element, quota, quota ? "TokenQuotaExceeded" : "TokenLimitExceeded");
        tokenLimits.Add(element);
    }

    private void Remain(XElement element, string attribute, string said, int otherwise)
    {
        var remaining = (int?)Limits[said] ?? otherwise;
        SetVariable(element, attribute + "-variable-name", remaining);
        Announce(element, attribute + "-header-name", remaining.ToString());
    }

    private void RefuseIfExceeded(XElement element, bool quota, string reason)
    {
        if ((string)Limits["exceeded"] != element.Name.LocalName)
        {
            return;
        }
        var seconds = (int?)Limits["retryAfter"] ?? 30;
        SetVariable(element, "retry-after-variable-name", seconds);
        limitFields[Text(element, "retry-after-header-name", "Retry-After")] = new[] { seconds.ToString() };
        throw new GatewayError(
            element.Name.LocalName, (string)Limits["reason"] ?? reason,
            (quota ? "Quota" : "Rate limit") + " is exceeded", quota ? 403 : 429);
    }

    private void SetVariable(XElement element, string attribute, int value)
    {
        var variable = Text(element, attribute);
        if (variable != null)
        {
            context.Values[variable] = value;
        }
    }

    private void Announce(XElement element, string attribute, string value)
    {
        var name = Text(element, attribute);
        if (name != null)
        {
            limitFields[name] = new[] { value };
        }
    }

    // "Initialized to the estimated number of tokens in the prompt in backend [...] and zero otherwise."
    private void ExpectTokens()
    {
        foreach (var element in tokenLimits)
        {
            var estimated = Flag(element, "estimate-prompt-tokens") ? (int?)Limits["estimatedTokens"] ?? 0 : 0;
            SetVariable(element, "tokens-consumed-variable-name", estimated);
        }
    }

    // The response is here: "updated with the reported count upon receiving the response".
    private void TellLimits()
    {
        var consumed = (int?)Limits["consumedTokens"] ?? 0;
        foreach (var element in tokenLimits)
        {
            SetVariable(element, "tokens-consumed-variable-name", consumed);
            Announce(element, "tokens-consumed-header-name", consumed.ToString());
        }
        foreach (var field in limitFields)
        {
            context.Outgoing.Fields[field.Key] = field.Value;
        }
    }
}
