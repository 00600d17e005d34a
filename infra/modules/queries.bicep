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
  { name: 'budget', library: 'money', text: loadTextContent('../../kql/reports/budget.kql') }
  { name: 'cached-savings', library: 'money', text: loadTextContent('../../kql/reports/cached-savings.kql') }
  { name: 'call-classes', library: 'money', text: loadTextContent('../../kql/reports/call-classes.kql') }
  { name: 'cost-by-consumer', library: 'money', text: loadTextContent('../../kql/reports/cost-by-consumer.kql') }
  { name: 'cost-by-model', library: 'money', text: loadTextContent('../../kql/reports/cost-by-model.kql') }
  { name: 'cost-by-unit-and-model', library: 'money', text: loadTextContent('../../kql/reports/cost-by-unit-and-model.kql') }
  { name: 'cost-per-call', library: 'money', text: loadTextContent('../../kql/reports/cost-per-call.kql') }
  { name: 'cost-per-day', library: 'money', text: loadTextContent('../../kql/reports/cost-per-day.kql') }
  { name: 'cost-query', library: 'money', text: loadTextContent('../../kql/reports/cost-query.kql') }
  { name: 'counts-differ', library: 'usage', text: loadTextContent('../../kql/reports/counts-differ.kql') }
  { name: 'coverage-causes', library: 'usage', text: loadTextContent('../../kql/reports/coverage-causes.kql') }
  { name: 'coverage', library: 'usage', text: loadTextContent('../../kql/reports/coverage.kql') }
  { name: 'duplicates', library: 'usage', text: loadTextContent('../../kql/reports/duplicates.kql') }
  { name: 'ignored', library: 'usage', text: loadTextContent('../../kql/reports/ignored.kql') }
  { name: 'in-no-report', library: 'usage', text: loadTextContent('../../kql/reports/in-no-report.kql') }
  { name: 'inconsistent', library: 'money', text: loadTextContent('../../kql/reports/inconsistent.kql') }
  { name: 'provisioned-allocation', library: 'money', text: loadTextContent('../../kql/reports/provisioned-allocation.kql') }
  { name: 'provisioned-break-even', library: 'money', text: loadTextContent('../../kql/reports/provisioned-break-even.kql') }
  { name: 'provisioned-hours', library: 'money', text: loadTextContent('../../kql/reports/provisioned-hours.kql') }
  { name: 'provisioned-utilisation', library: 'money', text: loadTextContent('../../kql/reports/provisioned-utilisation.kql') }
  { name: 'reference-conflicts', library: 'money', text: loadTextContent('../../kql/reports/reference-conflicts.kql') }
  { name: 'rejected', library: 'usage', text: loadTextContent('../../kql/reports/rejected.kql') }
  { name: 'statement-lines', library: 'money', text: loadTextContent('../../kql/reports/statement-lines.kql') }
  { name: 'statement', library: 'money', text: loadTextContent('../../kql/reports/statement.kql') }
  { name: 'throttled', library: 'usage', text: loadTextContent('../../kql/reports/throttled.kql') }
  { name: 'tokens-by-consumer-and-hour', library: 'usage', text: loadTextContent('../../kql/reports/tokens-by-consumer-and-hour.kql') }
  { name: 'tokens-by-consumer', library: 'usage', text: loadTextContent('../../kql/reports/tokens-by-consumer.kql') }
  { name: 'tokens-by-deployment-and-day', library: 'usage', text: loadTextContent('../../kql/reports/tokens-by-deployment-and-day.kql') }
  { name: 'tokens-by-model-and-deployment', library: 'usage', text: loadTextContent('../../kql/reports/tokens-by-model-and-deployment.kql') }
  { name: 'top-consumers', library: 'money', text: loadTextContent('../../kql/reports/top-consumers.kql') }
  { name: 'unknown-consumers', library: 'usage', text: loadTextContent('../../kql/reports/unknown-consumers.kql') }
  { name: 'unpriced', library: 'money', text: loadTextContent('../../kql/reports/unpriced.kql') }
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
    body: '${libraries.period}\n${libraries[report.library]}\n${report.text}'
    related: { resourceTypes: ['microsoft.insights/components'] }
    tags: { labels: ['chargeback'] }
  }
}]
