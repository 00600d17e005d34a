// The `context` of one call, filled from a case.
using System;
using System.Collections.Generic;
using System.Security.Cryptography.X509Certificates;

public sealed class Context : IProxyRequestContext
{
    public Dictionary<string, object> Values = new Dictionary<string, object>();
    public Request Incoming;
    public Response Outgoing;

    public IContextApi Api { get; set; }
    public IDeployment Deployment { get; set; }
    public TimeSpan Elapsed { get; set; }
    public ILastError LastError { get; set; }
    public IOperation Operation { get; set; }
    public IProduct Product { get; set; }
    public IRequest Request { get { return Incoming; } }
    public Guid RequestId { get; set; }
    public IResponse Response { get { return Outgoing; } }
    public ISubscription Subscription { get; set; }
    public DateTime Timestamp { get; set; }
    public bool Tracing { get; set; }
    public IUser User { get; set; }
    public IReadOnlyDictionary<string, object> Variables { get { return Values; } }

    public void Trace(string message)
    {
    }
}

public sealed class Request : IRequest
{
    public Headers Fields;
    public Body Content;
    public Url Target;

    public IMessageBody Body { get { return Content; } }
    public X509Certificate2 Certificate { get; set; }
    public IReadOnlyDictionary<string, string[]> Headers { get { return Fields; } }
    public string IpAddress { get; set; }
    public IReadOnlyDictionary<string, string> MatchedParameters { get; set; }
    public string Method { get; set; }
    public IUrl OriginalUrl { get; set; }
    public IPrivateEndpointConnection PrivateEndpointConnection { get; set; }
    public IUrl Url { get { return Target; } }
}

public sealed class Response : IResponse
{
    public Headers Fields = new Headers();
    public Body Content;

    public IMessageBody Body { get { return Content; } }
    public IReadOnlyDictionary<string, string[]> Headers { get { return Fields; } }
    public int StatusCode { get; set; }
    public string StatusReason { get; set; }
}

public sealed class Headers : Dictionary<string, string[]>
{
    public Headers() : base(StringComparer.OrdinalIgnoreCase)
    {
    }
}

public sealed class Api : IContextApi
{
    public string Id { get; set; }
    public bool IsCurrentRevision { get; set; }
    public string Name { get; set; }
    public string Path { get; set; }
    public IEnumerable<string> Protocols { get; set; }
    public string Revision { get; set; }
    public IUrl ServiceUrl { get; set; }
    public ISubscriptionKeyParameterNames SubscriptionKeyParameterNames { get; set; }
    public string Version { get; set; }
}

public sealed class KeyNames : ISubscriptionKeyParameterNames
{
    public string Header { get { return "Ocp-Apim-Subscription-Key"; } }
    public string Query { get { return "subscription-key"; } }
}

public sealed class Deployment : IDeployment
{
    public IReadOnlyDictionary<string, X509Certificate2> Certificates { get; set; }
    public string GatewayId { get; set; }
    public string Region { get; set; }
    public string ServiceName { get; set; }
}

public sealed class LastError : ILastError
{
    public string Message { get; set; }
    public string Path { get; set; }
    public string PolicyId { get; set; }
    public string Reason { get; set; }
    public string Scope { get; set; }
    public string Section { get; set; }
    public string Source { get; set; }
}

public sealed class Operation : IOperation
{
    public string Id { get; set; }
    public string Method { get; set; }
    public string Name { get; set; }
    public string UrlTemplate { get; set; }
}

public sealed class Product : IProduct
{
    public IEnumerable<IApi> Apis { get; set; }
    public bool ApprovalRequired { get; set; }
    public IEnumerable<IGroup> Groups { get; set; }
    public string Id { get; set; }
    public string Name { get; set; }
    public ProductState State { get; set; }
    public int? SubscriptionLimit { get; set; }
    public bool SubscriptionRequired { get; set; }
}

public sealed class Subscription : ISubscription
{
    public DateTime CreatedDate { get; set; }
    public DateTime? EndDate { get; set; }
    public Func<bool> Lost = () => false;
    private string id;
    public string Id
    {
        get
        {
            if (Lost())
            {
                throw new InvalidOperationException("the gateway lost the subscription");
            }
            return id;
        }
        set { id = value; }
    }
    public string Key { get; set; }
    public string Name { get; set; }
    public string PrimaryKey { get; set; }
    public string SecondaryKey { get; set; }
    public DateTime? StartDate { get; set; }
}

public sealed class User : IUser
{
    public string Email { get; set; }
    public string FirstName { get; set; }
    public IEnumerable<IGroup> Groups { get; set; }
    public string Id { get; set; }
    public IEnumerable<IUserIdentity> Identities { get; set; }
    public string LastName { get; set; }
    public string Note { get; set; }
    public DateTime RegistrationDate { get; set; }
}
