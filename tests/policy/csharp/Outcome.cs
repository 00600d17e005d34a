// What a case came to; one JSON line.
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Text;
using Newtonsoft.Json;

public sealed class Outcome
{
    private const int LargestMessage = 200 * 1024;

    public readonly List<string> Thrown = new List<string>();
    public readonly List<string> CounterKeys = new List<string>();
    public readonly List<string> Dimensions = new List<string>();
    public readonly List<string> BackendUrls = new List<string>();
    public readonly List<double> RetryWaits = new List<double>();
    public readonly Stopwatch Expressions = new Stopwatch();
    public Response Answer;
    public Body LastBackendBody;
    public bool BackendAnswered;
    public int BodyReads;
    public byte[] SentBody;
    public Headers SentHeaders = new Headers();
    public ILastError Error;

    private readonly List<Message> messages = new List<Message>();

    // "A larger message will be automatically truncated to 200 KB."
    public void Log(string logger, string partitionKey, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        messages.Add(new Message
        {
            Logger = logger,
            PartitionKey = partitionKey,
            Bytes = bytes.Length > LargestMessage ? bytes.Take(LargestMessage).ToArray() : bytes,
        });
    }

    public void Write(TextWriter to)
    {
        var body = Answer.Content == null ? new byte[0] : Answer.Content.Remaining;
        var sent = LastBackendBody == null ? new byte[0] : LastBackendBody.Bytes;
        using (var json = new JsonTextWriter(to))
        {
            json.CloseOutput = false;
            json.StringEscapeHandling = StringEscapeHandling.EscapeNonAscii;
            json.WriteStartObject();
            WriteList(json, "thrown", Thrown);
            WriteList(json, "records", messages.Select(message => Encoding.UTF8.GetString(message.Bytes)));
            WriteList(json, "bytes", messages.Select(message => message.Bytes.Length));
            WriteList(json, "partitionKeys", messages.Select(message => message.PartitionKey));
            WriteList(json, "loggerIds", messages.Select(message => message.Logger));
            Write(json, "clientBodyIntact", !BackendAnswered || body.SequenceEqual(sent));
            Write(json, "clientStatus", Answer.StatusCode);
            WriteHeaders(json, "clientHeaders", Answer.Fields);
            Write(json, "clientBody", Convert.ToBase64String(body));
            Write(json, "backendRequestBody", SentBody == null ? null : Encoding.UTF8.GetString(SentBody));
            WriteHeaders(json, "backendRequestHeaders", SentHeaders);
            WriteList(json, "backendUrls", BackendUrls);
            WriteList(json, "counterKeys", CounterKeys);
            WriteList(json, "dimensions", Dimensions);
            Write(json, "bodyReads", BodyReads);
            WriteList(json, "retryWaits", RetryWaits);
            Write(json, "milliseconds", Expressions.Elapsed.TotalMilliseconds);
            WriteError(json);
            json.WriteEndObject();
        }
    }

    private static void Write(JsonWriter json, string name, object value)
    {
        json.WritePropertyName(name);
        json.WriteValue(value);
    }

    private static void WriteList<T>(JsonWriter json, string name, IEnumerable<T> values)
    {
        json.WritePropertyName(name);
        json.WriteStartArray();
        foreach (var value in values)
        {
            json.WriteValue((object)value);
        }
        json.WriteEndArray();
    }

    private static void WriteHeaders(JsonWriter json, string name, Headers fields)
    {
        json.WritePropertyName(name);
        json.WriteStartObject();
        foreach (var field in fields)
        {
            Write(json, field.Key, string.Join(",", field.Value));
        }
        json.WriteEndObject();
    }

    private void WriteError(JsonWriter json)
    {
        json.WritePropertyName("lastError");
        if (Error == null)
        {
            json.WriteNull();
            return;
        }
        json.WriteStartObject();
        Write(json, "source", Error.Source);
        Write(json, "reason", Error.Reason);
        Write(json, "message", Error.Message);
        Write(json, "section", Error.Section);
        Write(json, "scope", Error.Scope);
        Write(json, "path", Error.Path);
        Write(json, "policyId", Error.PolicyId);
        json.WriteEndObject();
    }

    private sealed class Message
    {
        public string Logger;
        public string PartitionKey;
        public byte[] Bytes;
    }
}
