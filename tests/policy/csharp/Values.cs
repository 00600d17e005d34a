// The values of attributes and texts: literals as they stand, expressions evaluated.
using System;
using System.Globalization;
using System.Xml.Linq;

public sealed partial class Call
{
    private object Value(XElement element, string text)
    {
        var expression = text == null ? null : documents.Expression(text);
        if (expression == null)
        {
            return text;
        }
        outcome.Expressions.Start();
        try
        {
            return expression(context);
        }
        catch (Exception error)
        {
            throw Mistake(element, error.GetType().Name + ": " + error.Message, error.Message);
        }
        finally
        {
            outcome.Expressions.Stop();
        }
    }

    private PolicyMistake Mistake(XElement element, string what, string told = null)
    {
        // The global policy's forward-request stands in no document.
        var place = element.Document == null ? "global" : documents.Place(element);
        var policy = policies.ContainsKey(element.Name.LocalName) ? element : element.Parent;
        return new PolicyMistake(policy.Name.LocalName, place, what, told ?? what);
    }

    private object AttributeValue(XElement element, XName attribute)
    {
        return Value(element, (string)element.Attribute(attribute));
    }

    private string Text(XElement element, XName attribute, string otherwise = null)
    {
        return element.Attribute(attribute) == null ? otherwise : AsText(AttributeValue(element, attribute));
    }

    private string Text(XElement element)
    {
        return AsText(Value(element, element.Value));
    }

    private bool Flag(XElement element, XName attribute, bool otherwise = false)
    {
        if (element.Attribute(attribute) == null)
        {
            return otherwise;
        }
        bool flag;
        var text = Text(element, attribute);
        if (!bool.TryParse(text, out flag))
        {
            throw Mistake(element, attribute + " is neither true nor false: " + text);
        }
        return flag;
    }

    private double Number(XElement element, XName attribute, double otherwise = 0)
    {
        if (element.Attribute(attribute) == null)
        {
            return otherwise;
        }
        double number;
        var text = Text(element, attribute);
        if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out number))
        {
            throw Mistake(element, attribute + " is no number: " + text);
        }
        return number;
    }

    private static string AsText(object value)
    {
        return value == null ? "" : value.ToString();
    }
}
