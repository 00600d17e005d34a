-- One row a call: of records with one request id the greatest of each count, as kql/lib/usage.kql takes it.
CREATE OR ALTER VIEW calls AS
SELECT
    requestId,
    MIN(CAST("timestamp" AS datetime2(3))) AS eventTime,
    MAX(COALESCE(subscriptionId, appId, userId, 'unknown')) AS consumerId,
    MAX(appId) AS appId,
    MAX(COALESCE(servedDeployment, deploymentId)) AS deployment,
    MAX(model) AS model,
    MAX(statusCode) AS statusCode,
    MAX(CAST(promptTokens AS bigint)) AS promptTokens,
    MAX(CAST(cachedTokens AS bigint)) AS cachedTokens,
    MAX(CAST(completionTokens AS bigint)) AS completionTokens,
    MAX(CAST(totalTokens AS bigint)) AS totalTokens,
    CASE WHEN COUNT(COALESCE(promptTokens, completionTokens, totalTokens)) > 0 THEN 1 ELSE 0 END AS usageKnown,
    COUNT(*) AS deliveries
FROM usage_records
WHERE "schema" = 'chargeback.usage/1'
GROUP BY requestId;
