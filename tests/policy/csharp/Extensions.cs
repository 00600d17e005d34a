// The extension methods that the reference documents beside the `context` variable.
using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Newtonsoft.Json;
using Newtonsoft.Json.Linq;

public static class PolicyExtensions
{
    private static readonly DateTime Epoch = new DateTime(1970, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    public static string GetValueOrDefault(
        this IReadOnlyDictionary<string, string[]> values, string name, string defaultValue = null)
    {
        string[] found;
        return values.TryGetValue(name, out found) ? string.Join(",", found) : defaultValue;
    }

    public static string GetValueOrDefault(
        this IReadOnlyDictionary<string, string> values, string name, string defaultValue = null)
    {
        string found;
        return values.TryGetValue(name, out found) ? found : defaultValue;
    }

    // "This method throws an exception if the specified type does not match the actual type."
    public static T GetValueOrDefault<T>(
        this IReadOnlyDictionary<string, object> variables, string name, T defaultValue = default(T))
    {
        object found;
        return variables.TryGetValue(name, out found) ? (T)found : defaultValue;
    }

    public static BasicAuthCredentials AsBasic(this string input)
    {
        if (input == null || !input.StartsWith("Basic ", StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }
        try
        {
            var text = Encoding.UTF8.GetString(Convert.FromBase64String(input.Substring(6).Trim()));
            var colon = text.IndexOf(':');
            return colon < 0
                ? null
                : new BasicAuthCredentials { UserId = text.Substring(0, colon), Password = text.Substring(colon + 1) };
        }
        catch (FormatException)
        {
            return null;
        }
    }

    public static bool TryParseBasic(this string input, out BasicAuthCredentials result)
    {
        result = input.AsBasic();
        return result != null;
    }

    // Reads a token; says nothing of its signature.
    public static Jwt AsJwt(this string input)
    {
        if (input == null)
        {
            return null;
        }
        var bearer = input.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase);
        var parts = (bearer ? input.Substring(7) : input).Trim().Split('.');
        if (parts.Length != 3)
        {
            return null;
        }
        try
        {
            return ReadJwt(Part(parts[0]), Part(parts[1]));
        }
        catch (Exception error) when (error is JsonException || error is FormatException || error is ArgumentException)
        {
            return null;
        }
    }

    public static bool TryParseJwt(this string input, out Jwt result)
    {
        result = input.AsJwt();
        return result != null;
    }

    public static byte[] Encrypt(this byte[] input, string alg, byte[] key, byte[] iv)
    {
        return input.Encrypt(SymmetricAlgorithm.Create(alg), key, iv);
    }

    public static byte[] Encrypt(this byte[] input, SymmetricAlgorithm alg)
    {
        return input.Encrypt(alg, alg.Key, alg.IV);
    }

    public static byte[] Encrypt(this byte[] input, SymmetricAlgorithm alg, byte[] key, byte[] iv)
    {
        return alg.CreateEncryptor(key, iv).TransformFinalBlock(input, 0, input.Length);
    }

    public static byte[] Decrypt(this byte[] input, string alg, byte[] key, byte[] iv)
    {
        return input.Decrypt(SymmetricAlgorithm.Create(alg), key, iv);
    }

    public static byte[] Decrypt(this byte[] input, SymmetricAlgorithm alg)
    {
        return input.Decrypt(alg, alg.Key, alg.IV);
    }

    public static byte[] Decrypt(this byte[] input, SymmetricAlgorithm alg, byte[] key, byte[] iv)
    {
        return alg.CreateDecryptor(key, iv).TransformFinalBlock(input, 0, input.Length);
    }

    public static bool VerifyNoRevocation(this X509Certificate2 input)
    {
        var chain = new X509Chain();
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return chain.Build(input);
    }

    private static Jwt ReadJwt(JObject header, JObject payload)
    {
        var claims = payload.Properties().ToDictionary(claim => claim.Name, claim => Texts(claim.Value));
        string[] audiences;
        return new Jwt
        {
            Algorithm = (string)header["alg"],
            Type = (string)header["typ"],
            Id = (string)payload["jti"],
            Issuer = (string)payload["iss"],
            Subject = (string)payload["sub"],
            Audiences = claims.TryGetValue("aud", out audiences) ? audiences : new string[0],
            Claims = claims,
            ExpirationTime = Time(payload["exp"]),
            IssuedAt = Time(payload["iat"]),
            NotBefore = Time(payload["nbf"]),
        };
    }

    private static string[] Texts(JToken claim)
    {
        return claim is JArray ? claim.Select(Text).ToArray() : new[] { Text(claim) };
    }

    private static string Text(JToken value)
    {
        var plain = value as JValue;
        return plain == null
            ? value.ToString(Formatting.None)
            : Convert.ToString(plain.Value, CultureInfo.InvariantCulture);
    }

    private static DateTime? Time(JToken seconds)
    {
        var numeric = seconds != null && (seconds.Type == JTokenType.Integer || seconds.Type == JTokenType.Float);
        return numeric ? Epoch.AddSeconds((double)seconds) : (DateTime?)null;
    }

    private static JObject Part(string base64Url)
    {
        var base64 = base64Url.Replace('-', '+').Replace('_', '/');
        var bytes = Convert.FromBase64String(base64.PadRight((base64.Length + 3) / 4 * 4, '='));
        return JObject.Parse(Encoding.UTF8.GetString(bytes));
    }
}
