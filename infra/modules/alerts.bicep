// Alerts, by log queries of Application Insights. docs/operations.md says what to do about each.

@description('Required. Beginning of the resources\' names.')
@minLength(3)
param name string

@description('Required. Azure region.')
param location string

@description('Required. Tags of every resource.')
param tags object

@description('Required. Resource id of Application Insights.')
param insightsId string

@description('Required. What queries about usage build on.')
param usageLibrary string

@description('Required. Who is told: e-mail addresses.')
param alertEmails array

@description('Required. Daily cap of Application Insights in gigabytes.')
param dailyCapGb int

@description('Optional. Most calls of a day, in per cent, whose tokens may be unknown.')
@minValue(0)
@maxValue(100)
param notKnownPercent int = 5

@description('Optional. Most seconds from the hub to Application Insights.')
@minValue(10)
param lagSeconds int = 900

var yesterday = 'let periodStart = ago(25h);\nlet periodEnd = ago(1h);'
// A query, the column that is measured (its largest value), and above or below what it fires; with `by`, an alert for each
// value of those columns: else the first unit's would hide the next one's until it is over.
var rules = [
  { name: 'rejected-records', next: 'Run chargeback rejected list, mend the cause, send them again.', severity: 2, query: loadTextContent('../../kql/alerts/rejected.kql'), measure: 'rejected', operator: 'GreaterThan', threshold: 0, every: 'PT15M', window: 'P1D', lookBack: 'P2D' }
  { name: 'low-coverage', next: 'Run the report coverage-causes: it says why tokens are unknown.', severity: 2, query: '${yesterday}\n${usageLibrary}\n${loadTextContent('../../kql/alerts/coverage.kql')}', measure: 'notKnownPercent', operator: 'GreaterThan', threshold: notKnownPercent, every: 'PT6H', window: 'P1D', lookBack: 'P2D' }
  { name: 'lag', next: 'Look for failing batches, then add instances or partitions.', severity: 2, query: loadTextContent('../../kql/alerts/lag.kql'), measure: 'seconds', operator: 'GreaterThan', threshold: lagSeconds, every: 'PT5M', window: 'PT15M', lookBack: 'PT15M' }
  { name: 'failing-batches', next: 'Read the error in the exceptions of Application Insights: the runbook lists them.', severity: 1, query: loadTextContent('../../kql/alerts/failing.kql'), measure: 'failures', operator: 'GreaterThan', threshold: 0, every: 'PT5M', window: 'PT15M', lookBack: 'PT15M' }
  { name: 'no-usage', next: 'Run chargeback doctor, and look whether the policy of the gateway changed.', severity: 2, query: loadTextContent('../../kql/alerts/no-usage.kql'), measure: 'events', operator: 'LessThan', threshold: 1, every: 'PT1H', window: 'P1D', lookBack: 'P1D' }
  { name: 'over-budget', next: 'Tell the owner of the business unit.', severity: 3, query: loadTextContent('../../kql/alerts/over-budget.kql'), measure: 'over', by: ['businessUnit'], operator: 'GreaterThan', threshold: 0, every: 'PT6H', window: 'P1D', lookBack: 'P2D' }
  { name: 'old-dead-letters', next: 'Run chargeback rejected list, and send them again before the month is closed.', severity: 2, query: loadTextContent('../../kql/alerts/old-dead-letters.kql'), measure: 'letters', operator: 'GreaterThan', threshold: 0, every: 'PT6H', window: 'P1D', lookBack: 'P2D' }
  { name: 'daily-cap-near', next: 'Raise the cap, or let the hub hold the records until the hour at which it starts anew.', severity: 1, query: loadTextContent('../../kql/azure-only/daily-cap.kql'), measure: 'megabytes', operator: 'GreaterThan', threshold: dailyCapGb * 800, every: 'PT15M', window: 'P1D', lookBack: 'P1D' }
]

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(alertEmails)) {
  name: '${name}-people'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: take(name, 12)
    enabled: true
    emailReceivers: [for address in alertEmails: { name: address, emailAddress: address, useCommonAlertSchema: true }]
  }
}

resource alerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [for rule in rules: {
  name: '${name}-${rule.name}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'Chargeback: ${replace(rule.name, '-', ' ')}'
    description: '${rule.next} More: docs/operations.md#alerts, ${rule.name}.'
    severity: rule.severity
    enabled: true
    scopes: [insightsId]
    evaluationFrequency: rule.every
    windowSize: rule.window
    overrideQueryTimeRange: rule.lookBack
    autoMitigate: true
    criteria: {
      allOf: [
        {
          query: rule.query
          metricMeasureColumn: rule.measure
          timeAggregation: 'Maximum'
          dimensions: map(rule.?by ?? [], column => { name: column, operator: 'Include', values: ['*'] })
          operator: rule.operator
          threshold: rule.threshold
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    actions: { actionGroups: empty(alertEmails) ? [] : [people.id] }
  }
}]
