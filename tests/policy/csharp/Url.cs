// A URL whose base, path and query policies may change.
using System;
using System.Collections.Generic;
using System.Linq;

public sealed class Url : IUrl
{
    private readonly Headers parameters = new Headers();

    // Below the base: what the client asked for behind the API's own path, or what rewrite-uri made of it.
    public string Relative = "";

    public string BasePath { get; private set; }
    public string Host { get; private set; }
    public int Port { get; private set; }
    public string Scheme { get; private set; }

    public string Path
    {
        get { return BasePath + Relative; }
    }

    public IReadOnlyDictionary<string, string[]> Query
    {
        get { return parameters; }
    }

    public Headers Parameters
    {
        get { return parameters; }
    }

    public string QueryString
    {
        get
        {
            var pairs = parameters.SelectMany(
                pair => pair.Value.Select(value => Uri.EscapeDataString(pair.Key) + "=" + Uri.EscapeDataString(value)));
            var text = string.Join("&", pairs);
            return text.Length == 0 ? "" : "?" + text;
        }
    }

    public void SetBase(string address)
    {
        var parsed = new Uri(address);
        Scheme = parsed.Scheme;
        Host = parsed.Host;
        Port = parsed.Port;
        BasePath = parsed.AbsolutePath.TrimEnd('/');
    }

    public override string ToString()
    {
        var standard = Port == (Scheme == "https" ? 443 : 80);
        return Scheme + "://" + Host + (standard ? "" : ":" + Port) + Path + QueryString;
    }
}
