-- One row a call: of records with one request id the greatest of each count, as kql/lib/usage.kql takes it.
CREATE OR ALTER VIEW calls AS
SELECT
    requestId,
    MIN(TRY_CAST("timestamp" AS datetime2(3))) AS eventTime,
    COALESCE(MAX(subscriptionId), MAX(appId), MAX(userId), 'unknown') AS consumerId,
    MAX(appId) AS appId,
    COALESCE(MAX(servedDeployment), MAX(deploymentId)) AS deployment,
    MAX(model) AS model,
    MAX(statusCode) AS statusCode,
    MAX(TRY_CAST(promptTokens AS bigint)) AS promptTokens,
    MAX(TRY_CAST(cachedTokens AS bigint)) AS cachedTokens,
    MAX(TRY_CAST(cacheWriteTokens AS bigint)) AS cacheWriteTokens,
    MAX(TRY_CAST(completionTokens AS bigint)) AS completionTokens,
    MAX(TRY_CAST(reasoningTokens AS bigint)) AS reasoningTokens,
    MAX(TRY_CAST(totalTokens AS bigint)) AS totalTokens,
    CASE WHEN COUNT(promptTokens) + COUNT(completionTokens) + COUNT(totalTokens) > 0 THEN 1 ELSE 0 END AS usageKnown,
    COUNT(*) AS records,
    CASE
        WHEN COUNT(DISTINCT promptTokens) > 1 OR COUNT(DISTINCT completionTokens) > 1 OR COUNT(DISTINCT totalTokens) > 1
            OR COUNT(DISTINCT COALESCE(subscriptionId, appId, userId)) > 1 THEN 1
        ELSE 0
    END AS conflicting
FROM usage_records
WHERE "schema" = 'chargeback.usage/1'
GROUP BY requestId;
