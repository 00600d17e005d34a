// The queries of kql/, in a query pack, a workbook and alerts, all about the Application Insights component.

@description('Required. Beginning of the resources\' names.')
@minLength(3)
param name string

@description('Required. Azure region.')
param location string

@description('Required. Tags of every resource.')
param tags object

@description('Required. Resource id of Application Insights.')
param insightsId string

@description('Required. Who is told of alerts: e-mail addresses; none leaves the alerts to the portal.')
param alertEmails array

@description('Required. Daily cap of the workspace in gigabytes; -1 is none.')
param dailyCapGb int

// kql/lib in an order in which each file comes after those that it needs, comments and empty lines left out. What a query
// does not use costs nothing.
func bare(text string) string => join(filter(map(split(text, '\n'), line => trim(line)), line => !empty(line) && !startsWith(line, '\u{2f}\u{2f}')), '\n')

var usageFiles = [
  { name: 'currencies', text: loadTextContent('../../kql/lib/currencies.kql') }
  { name: 'sums', text: loadTextContent('../../kql/lib/sums.kql') }
  { name: 'usage', text: loadTextContent('../../kql/lib/usage.kql') }
  { name: 'classes', text: loadTextContent('../../kql/lib/classes.kql') }
  { name: 'outcomes', text: loadTextContent('../../kql/lib/outcomes.kql') }
  { name: 'consumers', text: loadTextContent('../../kql/lib/consumers.kql') }
]
var moneyFiles = [
  { name: 'deployments', text: loadTextContent('../../kql/lib/deployments.kql') }
  { name: 'discounts', text: loadTextContent('../../kql/lib/discounts.kql') }
  { name: 'overheads', text: loadTextContent('../../kql/lib/overheads.kql') }
  { name: 'models', text: loadTextContent('../../kql/lib/models.kql') }
  { name: 'prices', text: loadTextContent('../../kql/lib/prices.kql') }
  { name: 'regionGroups', text: loadTextContent('../../kql/lib/regionGroups.kql') }
  { name: 'provisioned', text: loadTextContent('../../kql/lib/provisioned.kql') }
  { name: 'provisionedWeights', text: loadTextContent('../../kql/lib/provisionedWeights.kql') }
  { name: 'slots', text: loadTextContent('../../kql/lib/slots.kql') }
  { name: 'groups', text: loadTextContent('../../kql/lib/groups.kql') }
  { name: 'cost', text: loadTextContent('../../kql/lib/cost.kql') }
  { name: 'purchases', text: loadTextContent('../../kql/lib/purchases.kql') }
  { name: 'lines', text: loadTextContent('../../kql/lib/lines.kql') }
  { name: 'overheadLines', text: loadTextContent('../../kql/lib/overheadLines.kql') }
  { name: 'utilisation', text: loadTextContent('../../kql/lib/utilisation.kql') }
  { name: 'budgets', text: loadTextContent('../../kql/lib/budgets.kql') }
]
var usage = bare(join(map(usageFiles, file => file.text), '\n'))
var libraries = {
  period: bare(loadTextContent('../../kql/lib/period.kql'))
  usage: usage
  money: '${usage}\n${bare(join(map(moneyFiles, file => file.text), '\n'))}'
}

module queries 'queries.bicep' = {
  name: 'queries'
  params: { name: name, location: location, tags: tags, libraries: libraries }
}

module workbook 'workbook.bicep' = {
  name: 'workbook'
  params: { location: location, tags: tags, insightsId: insightsId, libraries: libraries }
}

module alerts 'alerts.bicep' = {
  name: 'alerts'
  params: { name: name, location: location, tags: tags, insightsId: insightsId, usageLibrary: libraries.usage, alertEmails: alertEmails, dailyCapGb: dailyCapGb }
}

@description('Name of the workbook.')
output workbookName string = workbook.outputs.name
