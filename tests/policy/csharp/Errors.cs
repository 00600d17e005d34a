// What ends a section before its end.
using System;

// The gateway's own failure: a wrong token, a limit, a backend that does not answer. It leads to on-error.
public class GatewayError : Exception
{
    public GatewayError(string source, string reason, string message, int status) : base(message)
    {
        Source = source;
        Reason = reason;
        Status = status;
        ClientMessage = status == 500 ? "Internal server error" : message;
    }

    public new string Source { get; private set; }
    public string Reason { get; private set; }
    public int Status { get; private set; }

    // In the body of the answer, if no policy writes another.
    public string ClientMessage { get; set; }

    // Where it happened: the innermost element that it passes writes itself in.
    public ILastError Place { get; set; }
}

// The policy's own mistake: an expression that threw, or a value that its element cannot take.
public sealed class PolicyMistake : GatewayError
{
    public PolicyMistake(string source, string place, string what, string told)
        : base(source, "ExpressionValueEvaluationFailure", "Expression evaluation failed. " + told, 500)
    {
        Thrown = place + ": " + source + ": " + what;
    }

    public string Thrown { get; private set; }
}

// return-response: the pipeline ends, this is the answer.
public sealed class Returned : Exception
{
    public Returned(Response answer)
    {
        Answer = answer;
    }

    public Response Answer { get; private set; }
}
