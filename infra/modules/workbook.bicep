// The workbook: infra/workbooks/chargeback.json, in which an item names a report of kql/reports, whose text is put there.

@description('Required. Azure region.')
param location string

@description('Required. Tags of every resource.')
param tags object

@description('Required. Resource id of Application Insights.')
param insightsId string

@description('Required. What reports build on: period, usage, money.')
param libraries object

var reports = {
  'cached-savings': '${libraries.money}\n${loadTextContent('../../kql/reports/cached-savings.kql')}'
  'cost-by-consumer': '${libraries.money}\n${loadTextContent('../../kql/reports/cost-by-consumer.kql')}'
  'cost-by-unit-and-model': '${libraries.money}\n${loadTextContent('../../kql/reports/cost-by-unit-and-model.kql')}'
  coverage: '${libraries.usage}\n${loadTextContent('../../kql/reports/coverage.kql')}'
  'coverage-causes': '${libraries.usage}\n${loadTextContent('../../kql/reports/coverage-causes.kql')}'
  'provisioned-allocation': '${libraries.money}\n${loadTextContent('../../kql/reports/provisioned-allocation.kql')}'
  'provisioned-utilisation': '${libraries.money}\n${loadTextContent('../../kql/reports/provisioned-utilisation.kql')}'
  rejected: '${libraries.usage}\n${loadTextContent('../../kql/reports/rejected.kql')}'
  statement: '${libraries.money}\n${loadTextContent('../../kql/reports/statement.kql')}'
  unpriced: '${libraries.money}\n${loadTextContent('../../kql/reports/unpriced.kql')}'
}
// In place of kql/lib/period.kql: the month that is picked.
var period = 'let periodStart = datetime({Month});\nlet periodEnd = startofmonth(periodStart, 1);'
var workbook = loadJsonContent('../workbooks/chargeback.json')
// An item's `report` is a name; `then` is what is done with the report's rows.
var shownItems = map(filter(workbook.items, item => item.type == 3), item => {
  type: item.type
  name: item.name
  customWidth: item.customWidth
  content: union(item.content, {
    query: '${period}\n${reports[item.report]}\n${item.then}'
    crossComponentResources: [insightsId]
  })
})
// The pickers ask the library too: who is a business unit.
var pickers = map(filter(workbook.items, item => item.type == 9), item => union(item, {
  content: union(item.content, {
    crossComponentResources: [insightsId]
    parameters: map(item.content.parameters, parameter => union(parameter, {
      query: '${libraries.period}\n${libraries.usage}\n${parameter.query}'
      crossComponentResources: [insightsId]
    }))
  })
}))
var texts = filter(workbook.items, item => item.type == 1)

resource shown 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(insightsId, 'chargeback')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Azure OpenAI chargeback'
    category: 'workbook'
    version: 'Notebook/1.0'
    sourceId: toLower(insightsId)
    serializedData: string(union(workbook, { items: concat(texts, pickers, shownItems), fallbackResourceIds: [insightsId] }))
  }
}

@description('Name of the workbook, a GUID.')
output name string = shown.name
