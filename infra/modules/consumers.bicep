// Who may call, and who pays for it: a product for each consumer, and a subscription whose name is the consumer's id.

@description('Required. Name of the API Management service.')
param apimName string

@description('Required. Name of the API.')
param apiName string

@description('Required. Consumers: name (the id in every record; it stays), displayName, businessUnit, and perhaps costCenter and owner.')
@minLength(1)
param consumers array

resource apim 'Microsoft.ApiManagement/service@2024-05-01' existing = {
  name: apimName
}

resource products 'Microsoft.ApiManagement/service/products@2024-05-01' = [for consumer in consumers: {
  parent: apim
  name: consumer.name
  properties: {
    displayName: consumer.displayName
    description: 'Calls of ${consumer.displayName}, paid by ${consumer.businessUnit}.'
    subscriptionRequired: true
    approvalRequired: true
    state: 'published'
  }
}]

resource offers 'Microsoft.ApiManagement/service/products/apis@2024-05-01' = [for (consumer, index) in consumers: {
  parent: products[index]
  name: apiName
}]

resource subscriptions 'Microsoft.ApiManagement/service/subscriptions@2024-05-01' = [for (consumer, index) in consumers: {
  parent: apim
  name: consumer.name
  properties: { displayName: consumer.displayName, scope: products[index].id, state: 'active' }
}]

// As KQL writes a text.
func quoted(text string) string => '"${replace(replace(text, '\\', '\\\\'), '"', '\\"')}"'

@description('A row of consumers.kql for each consumer, but for its day.')
output rows array = [for consumer in consumers: join(map([consumer.name, consumer.businessUnit, consumer.?costCenter ?? '', consumer.?owner ?? '', consumer.displayName], text => quoted(text)), ', ')]
