// Every report of kql/reports in a query pack: they are found in Application Insights under Logs, ready to run.

@description('Required. Beginning of the resources\' names.')
@minLength(3)
param name string

@description('Required. Azure region.')
param location string

@description('Required. Tags of every resource.')
param tags object

@description('Required. What reports build on: period, usage, money.')
param libraries object

var reports = [
  { name: 'budget', topic: 'money', text: loadTextContent('../../kql/reports/budget.kql') }
  { name: 'cached-savings', topic: 'money', text: loadTextContent('../../kql/reports/cached-savings.kql') }
  { name: 'call-classes', topic: 'money', text: loadTextContent('../../kql/reports/call-classes.kql') }
  { name: 'cost-by-consumer', topic: 'money', text: loadTextContent('../../kql/reports/cost-by-consumer.kql') }
  { name: 'cost-by-model', topic: 'money', text: loadTextContent('../../kql/reports/cost-by-model.kql') }
  { name: 'cost-by-unit-and-model', topic: 'money', text: loadTextContent('../../kql/reports/cost-by-unit-and-model.kql') }
  { name: 'cost-per-call', topic: 'money', text: loadTextContent('../../kql/reports/cost-per-call.kql') }
  { name: 'cost-per-day', topic: 'money', text: loadTextContent('../../kql/reports/cost-per-day.kql') }
  { name: 'cost-query', topic: 'money', text: loadTextContent('../../kql/reports/cost-query.kql') }
  { name: 'counts-differ', topic: 'usage', text: loadTextContent('../../kql/reports/counts-differ.kql') }
  { name: 'coverage-causes', topic: 'usage', text: loadTextContent('../../kql/reports/coverage-causes.kql') }
  { name: 'coverage', topic: 'usage', text: loadTextContent('../../kql/reports/coverage.kql') }
  { name: 'duplicates', topic: 'usage', text: loadTextContent('../../kql/reports/duplicates.kql') }
  { name: 'ignored', topic: 'usage', text: loadTextContent('../../kql/reports/ignored.kql') }
  { name: 'in-no-report', topic: 'usage', text: loadTextContent('../../kql/reports/in-no-report.kql') }
  { name: 'inconsistent', topic: 'money', text: loadTextContent('../../kql/reports/inconsistent.kql') }
  { name: 'provisioned-allocation', topic: 'money', text: loadTextContent('../../kql/reports/provisioned-allocation.kql') }
  { name: 'provisioned-break-even', topic: 'money', text: loadTextContent('../../kql/reports/provisioned-break-even.kql') }
  { name: 'provisioned-hours', topic: 'money', text: loadTextContent('../../kql/reports/provisioned-hours.kql') }
  { name: 'provisioned-utilisation', topic: 'money', text: loadTextContent('../../kql/reports/provisioned-utilisation.kql') }
  { name: 'reference-conflicts', topic: 'money', text: loadTextContent('../../kql/reports/reference-conflicts.kql') }
  { name: 'rejected', topic: 'usage', text: loadTextContent('../../kql/reports/rejected.kql') }
  { name: 'statement-lines', topic: 'money', text: loadTextContent('../../kql/reports/statement-lines.kql') }
  { name: 'statement', topic: 'money', text: loadTextContent('../../kql/reports/statement.kql') }
  { name: 'throttled', topic: 'usage', text: loadTextContent('../../kql/reports/throttled.kql') }
  { name: 'tokens-by-consumer-and-hour', topic: 'usage', text: loadTextContent('../../kql/reports/tokens-by-consumer-and-hour.kql') }
  { name: 'tokens-by-consumer', topic: 'usage', text: loadTextContent('../../kql/reports/tokens-by-consumer.kql') }
  { name: 'tokens-by-deployment-and-day', topic: 'usage', text: loadTextContent('../../kql/reports/tokens-by-deployment-and-day.kql') }
  { name: 'tokens-by-model-and-deployment', topic: 'usage', text: loadTextContent('../../kql/reports/tokens-by-model-and-deployment.kql') }
  { name: 'top-consumers', topic: 'money', text: loadTextContent('../../kql/reports/top-consumers.kql') }
  { name: 'unknown-consumers', topic: 'usage', text: loadTextContent('../../kql/reports/unknown-consumers.kql') }
  { name: 'unpriced', topic: 'money', text: loadTextContent('../../kql/reports/unpriced.kql') }
]

resource pack 'Microsoft.OperationalInsights/queryPacks@2025-02-01' = {
  name: '${name}-queries'
  location: location
  tags: tags
  properties: {}
}

// Its question is the first line of a report.
@batchSize(10)
resource queries 'Microsoft.OperationalInsights/queryPacks/queries@2025-02-01' = [for report in reports: {
  parent: pack
  name: guid(pack.id, report.name)
  properties: {
    displayName: 'Chargeback: ${report.name}'
    description: trim(substring(split(report.text, '\n')[0], 2))
    body: '${libraries.period}\n${libraries[report.topic]}\n${report.text}'
    related: { resourceTypes: ['microsoft.insights/components'] }
    tags: { labels: ['chargeback'] }
  }
}]
