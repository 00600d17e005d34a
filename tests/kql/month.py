"""One month, October 2026, small enough to be worked out by hand: who called what, and what each call costs.

Prices, USD per million tokens:      prompt  cached  write  write1h  completion
    alpha  list                          10       1   12.5       20          40
           contract                       8     0.8     10       16          32   Retail: 25 % off completion
                                                                                  Bank: prompt at 5
    beta   list                           1       -      -        -           4
    gamma  a purchase: 10 units at 1 USD an hour from 00:00 to 04:00 on the 10th, 40 USD; a completion token weighs 4,
           a cached one nothing; a unit does 100 tokens a minute, so an hour holds 60,000

Calls with a cost                                            list      contract    charged
    r1  Retail  alpha  600,000 plain, 400,000 cached,
                       100,000 completion                    10.40         8.32       7.52   4.80 + 0.32 + 2.40
    r2  Retail  beta   500,000 plain, 1,250 completion        0.505        0.505      0.505
    b1  Bank    alpha  100,000 plain, 60,000 written,
                       40,000 written for an hour,
                       50,000 completion                      4.55         3.64       3.34   0.50 + 0.60 + 0.64 + 1.60
    s1  nobody  beta   1,000,000 plain, 250,000 completion    2.00         2.00       2.00
    p1  Lab     gamma  hour 0, weighs 6,000 + 4 x 1,500 = 12,000, a third of the hour: 3 1/3
    p2  Bank    gamma  hour 0, weighs 12,000 + 4 x 3,000 = 24,000 (6,000 cached): 6 2/3
    p3  Bank    gamma  hour 2, weighs 66,000, all of the hour: 10
    hours 1 and 3: 20 for nobody
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.kql.rows import Envelope, call, counted, pending

LATE = "2026-10-07T08:00:00Z"


def _price(model: str, usd: str, kind: str = "list") -> str:
    keys = f'"Maker", "{model}", "", "", "", "", long(null), "", false, datetime(2026-01-01)'
    return f'{keys}, {usd}, real(null), real(null), real(null), "{kind}", "", "a test"'


def price(model: str, prompt: str, completion: str) -> str:
    """Return a row of prices.kql with these two prices."""
    return _price(model, f"{prompt}, real(null), real(null), real(null), {completion}")


def deployment(name: str, model: str, sku: str = "GlobalStandard") -> str:
    """Return a row of deployments.kql for any host."""
    return f'"", "{name}", "{model}", "", "{sku}", "", datetime(2026-01-01)'


def owner(consumer: str, unit: str, cost_center: str = "", name: str = "") -> str:
    """Return a row of consumers.kql that is valid all the time."""
    return f'"{consumer}", "{unit}", "{cost_center}", "", "{name}", datetime(2026-01-01), datetime(null)'


REFERENCE: Mapping[str, Sequence[str]] = {
    "prices": (
        _price("alpha", "10, 1, 12.5, 20, 40"),
        _price("alpha", "8, 0.8, 10, 16, 32", "contract"),
        price("beta", "1", "4"),
    ),
    "deployments": (
        deployment("chat", "alpha"),
        deployment("small", "beta"),
        deployment("new", "delta"),
        deployment("ptu", "gamma", "GlobalProvisionedManaged"),
    ),
    "consumers": (
        owner("retail", "Retail", "CC-1", "Web shop"),
        owner("bank", "Bank", "CC-2", "Loans"),
        owner("lab", "Lab", "CC-3"),
    ),
    "discounts": (
        '"Retail", "", "alpha", "", "completion", 25.0, real(null), datetime(2026-01-01), "a test"',
        '"Bank", "", "alpha", "", "prompt", real(null), 5.0, datetime(2026-01-01), "a test"',
    ),
    "provisioned": ('"", "ptu", 10, 1.0, real(null), "r-1", datetime(2026-10-10), datetime(2026-10-10T04:00:00Z)',),
    "provisionedWeights": (
        '"gamma", 100, 4, 0, 1, datetime(2026-01-01), "a test"',
        '"alpha", 1000, 4, 0, 1, datetime(2026-01-01), "a test"',
    ),
    "budgets": (
        '"Retail", 10.0, datetime(2026-01-01)',
        '"Retail", 8.0, datetime(2026-10-01)',
        '"Retail", 99.0, datetime(2026-10-02)',
        '"Bank", 25.0, datetime(2026-01-01)',
        '"Ghost", 5.0, datetime(2026-01-01)',
    ),
}

R1 = counted(
    *("r1", 1_000_000, 100_000, "2026-10-05T10:10:00Z"),
    consumerId="retail",
    deploymentId="chat",
    cachedTokens=400_000,
)
CALLS: Sequence[Envelope] = (
    R1,
    R1,  # delivered twice
    counted("r2", 500_000, 1_250, "2026-10-05T11:00:00Z", consumerId="retail", deploymentId="small"),
    counted(
        *("b1", 200_000, 50_000, "2026-10-06T09:00:00Z"),
        consumerId="bank",
        deploymentId="chat",
        cacheWriteTokens=100_000,
        cacheWrite1hTokens=40_000,
    ),
    counted("s1", 1_000_000, 250_000, "2026-10-06T09:30:00Z", consumerId="stranger", deploymentId="small"),
    counted("p1", 6_000, 1_500, "2026-10-10T00:15:00Z", consumerId="lab", deploymentId="ptu"),
    counted("p2", 18_000, 3_000, "2026-10-10T00:45:00Z", consumerId="bank", deploymentId="ptu", cachedTokens=6_000),
    counted("p3", 66_000, 0, "2026-10-10T02:30:00Z", consumerId="bank", deploymentId="ptu"),
    # Without a cost:
    counted("u1", 1_000, 10, LATE, consumerId="retail", deploymentId="new"),
    counted("u2", 2_000, 20, LATE, consumerId="bank", deploymentId="mystery"),
    counted("i1", 100, 7, LATE, consumerId="retail", deploymentId="chat", cachedTokens=150),
    counted("i2", -5, 7, LATE, consumerId="retail", deploymentId="small"),
    pending("k1", LATE, consumerId="retail", deploymentId="chat"),
    call("m1", LATE, consumerId="bank", deploymentId="chat", statusCode=500, forwarded=True),
    call("n1", LATE, consumerId="retail", deploymentId="chat", statusCode=429, forwarded=True),
    call("n2", LATE, consumerId="bank", deploymentId="chat", statusCode=429, forwarded=False),
    call("n3", "2026-10-07T09:00:00Z", consumerId="bank", deploymentId="chat", statusCode=429, forwarded=False),
    counted("late", 1_000_000, 0, "2026-11-01T00:00:00Z", consumerId="retail", deploymentId="chat"),
)
