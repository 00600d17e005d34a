// Reads a case: who calls with what, and what the backend answers.
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using Newtonsoft.Json;
using Newtonsoft.Json.Linq;

public sealed class Case
{
    private const string DefaultPath = "/openai/deployments/gpt-4o/chat/completions";

    private readonly JObject json;
    private int answered;

    public Case(string line)
    {
        // A text that looks like a date stays that text.
        var reader = new JsonTextReader(new StringReader(line)) { DateParseHandling = DateParseHandling.None };
        json = JObject.Load(reader);
    }

    public JToken this[string name]
    {
        get { return json[name]; }
    }

    // The next answer of the backend: `responses` in turn (the last one again and again), or `response`.
    // "timeout" and "refused" stand for no answer.
    public JToken NextAnswer()
    {
        if (json["backend"] != null)
        {
            return json["backend"];
        }
        var several = json["responses"] as JArray;
        if (several == null)
        {
            return json["response"] ?? new JObject();
        }
        var answer = several[Math.Min(answered, several.Count - 1)];
        answered++;
        return answer;
    }

    public string BackendUrl(string id)
    {
        var known = json["backends"] as JObject;
        return (known == null ? null : (string)known[id]) ?? "https://" + id + ".backend.example/openai";
    }

    public Context MakeContext()
    {
        var request = json["request"] as JObject ?? new JObject();
        var api = IsNull("api") ? null : MakeApi(json["api"] as JObject ?? new JObject());
        var method = (string)request["method"] ?? "POST";
        var path = (string)request["path"] ?? DefaultPath;
        var context = new Context
        {
            Api = api,
            Deployment = IsNull("deployment")
                ? null
                : new Deployment { GatewayId = "managed", Region = "West Europe", ServiceName = "apim-test" },
            Elapsed = TimeSpan.FromMilliseconds((double?)json["elapsedMs"] ?? 812),
            Incoming = MakeRequest(request, api, method, path),
            Operation = IsNull(request["operation"])
                ? null
                : new Operation
                {
                    Id = (string)request["operation"] ?? "ChatCompletions_Create",
                    Method = method,
                    Name = "Creates a completion",
                    UrlTemplate = path,
                },
            Product = MakeProduct(json["product"]),
            RequestId = Guid.Parse((string)json["requestId"] ?? "11111111-1111-1111-1111-111111111111"),
            Subscription = MakeSubscription(json["subscription"]),
            Timestamp = new DateTime(2025, 11, 20, 10, 0, 0, DateTimeKind.Utc),
            User = MakeUser(json["user"] as JObject),
        };
        var subscription = (Subscription)context.Subscription;
        if (json["subscription"] is JObject && ((bool?)json["subscription"]["throws"] ?? false))
        {
            subscription.Lost = () => context.Outgoing != null;
        }
        return context;
    }

    public static Response MakeResponse(JObject answer)
    {
        var status = (int?)answer["status"] ?? 200;
        return new Response
        {
            StatusCode = status,
            StatusReason = (string)answer["reason"] ?? (status < 400 ? "OK" : "Error"),
            Fields = MakeHeaders(answer["headers"]),
            Content = MakeBody(answer),
        };
    }

    private bool IsNull(string name)
    {
        return IsNull(json[name]);
    }

    // Given, and null: the gateway knows no such thing.
    private static bool IsNull(JToken token)
    {
        return token != null && token.Type == JTokenType.Null;
    }

    private static Request MakeRequest(JObject request, IApi api, string method, string path)
    {
        var original = new Url { Relative = path };
        original.SetBase("https://apim.example");
        var target = new Url();
        var known = api ?? MakeApi(new JObject());
        target.SetBase(known.ServiceUrl.Scheme + "://" + known.ServiceUrl.Host + known.ServiceUrl.Path);
        var prefix = "/" + known.Path;
        target.Relative = path == prefix || path.StartsWith(prefix + "/") ? path.Substring(prefix.Length) : path;
        foreach (var pair in MakeHeaders(request["query"]))
        {
            original.Parameters[pair.Key] = pair.Value;
            target.Parameters[pair.Key] = pair.Value;
        }
        return new Request
        {
            Content = MakeBody(request),
            Fields = MakeHeaders(request["headers"]),
            IpAddress = (string)request["ip"] ?? "203.0.113.7",
            MatchedParameters = IsNull(request["matched"])
                ? null
                : MakeHeaders(request["matched"]).ToDictionary(
                    pair => pair.Key, pair => pair.Value[0], StringComparer.OrdinalIgnoreCase),
            Method = method,
            OriginalUrl = original,
            Target = target,
        };
    }

    private static Headers MakeHeaders(JToken token)
    {
        var fields = new Headers();
        foreach (var property in (token as JObject ?? new JObject()).Properties())
        {
            fields[property.Name] = property.Value is JArray
                ? property.Value.Select(value => (string)value).ToArray()
                : new[] { (string)property.Value };
        }
        return fields;
    }

    private static Body MakeBody(JObject message)
    {
        if (message["bodyBase64"] != null)
        {
            return new Body(Convert.FromBase64String((string)message["bodyBase64"]));
        }
        if (message["bodyRepeat"] != null)
        {
            var piece = (string)message["bodyRepeat"][0];
            var text = new StringBuilder().Insert(0, piece, (int)message["bodyRepeat"][1]).ToString();
            return new Body(Encoding.UTF8.GetBytes(text));
        }
        var body = message["body"];
        if (body == null || IsNull(body))
        {
            return null;
        }
        return new Body(Encoding.UTF8.GetBytes((string)body));
    }

    private static Api MakeApi(JObject api)
    {
        var service = new Url();
        service.SetBase((string)api["serviceUrl"] ?? "https://backend.example/openai");
        return new Api
        {
            Id = (string)api["id"] ?? "azure-openai",
            IsCurrentRevision = true,
            Name = (string)api["name"] ?? "Azure OpenAI",
            Path = (string)api["path"] ?? "openai",
            Protocols = new[] { "https" },
            Revision = (string)api["revision"] ?? "1",
            ServiceUrl = service,
            SubscriptionKeyParameterNames = new KeyNames(),
            Version = (string)api["version"],
        };
    }

    private static Subscription MakeSubscription(JToken token)
    {
        if (IsNull(token))
        {
            return null;
        }
        var given = token as JObject ?? new JObject();
        var key = Given(given, "key", "SECRET-KEY");
        return new Subscription
        {
            Id = Given(given, "id", "sub-team-a"),
            Key = key,
            Name = Given(given, "name", "Team A"),
            PrimaryKey = key,
        };
    }

    private static Product MakeProduct(JToken token)
    {
        if (IsNull(token))
        {
            return null;
        }
        var given = token as JObject ?? new JObject();
        return new Product
        {
            Apis = new IApi[0],
            Groups = new IGroup[0],
            Id = Given(given, "id", "oai-gold"),
            Name = Given(given, "name", "OpenAI Gold"),
            State = ProductState.Published,
            SubscriptionRequired = true,
        };
    }

    private static User MakeUser(JObject user)
    {
        if (user == null)
        {
            return null;
        }
        return new User
        {
            Email = (string)user["email"],
            FirstName = (string)user["firstName"],
            Groups = new IGroup[0],
            Id = (string)user["id"],
            Identities = new IUserIdentity[0],
            LastName = (string)user["lastName"],
            Note = (string)user["note"],
        };
    }

    // Null counts as given: a subscription may have no name.
    private static string Given(JObject values, string name, string otherwise)
    {
        return values.Property(name) == null ? otherwise : (string)values[name];
    }
}
