"""A month of made-up calls in a local store, and its statement: `python -m tests.bench.month CALLS`.

Prints seconds (wall clock), CPU seconds and the peak of memory, in megabytes, of making the statement from the store.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from chargeback.cli.months import ask_month
from chargeback.cli.sources import Source
from chargeback.local.store import Store
from tests.reference_folder import reference_folder

# As the function sends them; SQL, because a million envelopes would take minutes to write.
FILL = """
INSERT INTO customEvents BY NAME
SELECT timestamp, 'Function called with Chargeback Data' AS name, 'i' || i AS itemId, CAST(json_object(
    'recordId', md5(i::VARCHAR), 'recordShape', 'usage/1', 'eventTime', strftime(timestamp, '%Y-%m-%dT%H:%M:%S.000Z'),
    'consumerId', consumer, 'consumerType', 'subscription', 'appSubscriptionKey', consumer,
    'requestId', md5(i::VARCHAR), 'subscriptionId', consumer, 'productId', 'openai', 'apiId', 'azure-openai',
    'operationId', 'ChatCompletions_Create', 'deploymentId', deployment, 'servedDeployment', deployment,
    'modelRegion', 'Sweden Central', 'backendId', 'pool', 'backendHost', 'host-' || (i % 3) || '.openai.azure.com',
    'model', IF(i % 20 < 15, 'gpt-4o-2024-11-20', 'text-embedding-3-large'), 'serviceTier', 'default',
    'region', 'West Europe', 'statusCode', IF(i % 50 = 0, '429', '200'), 'forwarded', 'true', 'streamed', 'false',
    'durationMs', (i % 9000)::VARCHAR, 'usageSource', IF(i % 50 = 0, 'none', 'body'),
    'note', IF(i % 50 = 0, 'error:429', NULL), 'traceId', md5((i + 1)::VARCHAR),
    'promptTokens', IF(i % 50 = 0, NULL, (i % 5000 + 200)::VARCHAR),
    'completionTokens', IF(i % 50 = 0 OR i % 20 >= 15, NULL, (i % 700)::VARCHAR),
    'totalTokens', IF(i % 50 = 0, NULL, (i % 5000 + 200 + IF(i % 20 < 15, i % 700, 0))::VARCHAR),
    'cachedTokens', IF(i % 3 = 0, '128', '0'), 'reasoningTokens', '0', 'partitionId', (i % 8)::VARCHAR,
    'sequenceNumber', i::VARCHAR, 'enqueuedTime', strftime(timestamp, '%Y-%m-%dT%H:%M:%S.250Z')) AS JSON
) AS customDimensions
FROM (
    SELECT i, TIMESTAMP '2026-10-01' + INTERVAL (i * 31 * 86400 // {calls}) SECOND AS timestamp,
        'consumer-' || (i % 60) AS consumer, IF(i % 20 < 15, 'chat', 'search') AS deployment
    FROM range({calls}) AS numbers(i)
)
"""


def filled(folder: Path, calls: int) -> Path:
    """Return a store with so many calls of October 2026, of 60 consumers and two models."""
    path = folder / f"{calls}.duckdb"
    with Store(path) as store:
        store._database.execute(FILL.format(calls=calls))
    return path


def main() -> None:
    path, folder = sys.argv[1], Path(sys.argv[2])
    started, cpu = time.perf_counter(), time.process_time()
    statement = ask_month(Source(path, ""), "2026-10", folder).statement
    figures = {
        "seconds": time.perf_counter() - started,
        "cpu": time.process_time() - cpu,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "calls": statement.calls,
    }
    print(json.dumps(figures))


def statements(sizes: tuple[int, ...]) -> dict[int, dict[str, float]]:
    """Make the statement of months of these sizes, each in a process of its own; return its figures."""
    found = {}
    with TemporaryDirectory() as name:
        folder = reference_folder(Path(name) / "reference")
        for calls in sizes:
            command = [sys.executable, "-m", "tests.bench.month", str(filled(Path(name), calls)), str(folder)]
            ran = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600)
            found[calls] = json.loads(ran.stdout)
            assert found[calls]["calls"] == calls
    return found


if __name__ == "__main__":
    main()
