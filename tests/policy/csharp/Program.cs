// Runner.exe <assembly> (<fragment id or nothing> <name> <file>)...: one case a line in, one outcome a line out.
using System;
using System.IO;
using System.Text;

public static class Program
{
    public static void Main(string[] arguments)
    {
        var files = new string[arguments.Length - 1];
        Array.Copy(arguments, 1, files, 0, files.Length);
        var documents = new Documents(arguments[0], files);
        var utf8 = new UTF8Encoding(false);
        var cases = new StreamReader(Console.OpenStandardInput(), utf8);
        var outcomes = new StreamWriter(Console.OpenStandardOutput(), utf8) { NewLine = "\n" };
        // An expression that prints must not spoil an answer.
        Console.SetOut(TextWriter.Null);
        for (var line = cases.ReadLine(); line != null; line = cases.ReadLine())
        {
            Call.Run(documents, new Case(line)).Write(outcomes);
            outcomes.WriteLine();
            outcomes.Flush();
        }
    }
}
