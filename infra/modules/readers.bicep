// What people may do: operators look and send again, finance reads numbers. Nobody gets more than that.

@description('Required. Principal id of the operators; empty is nobody.')
param operatorsPrincipalId string

@description('Required. Principal id of the finance people; empty is nobody.')
param financePrincipalId string

@description('Optional. What the two principals are.')
@allowed(['Group', 'User', 'ServicePrincipal'])
param principalType string = 'Group'

@description('Required. Name of the Event Hubs namespace.')
param namespaceName string

@description('Required. Name of the hub.')
param hubName string

@description('Required. Name of the storage account.')
param storageName string

@description('Required. Container of the dead letters.')
param deadLetterContainer string

@description('Required. Name of Application Insights.')
param insightsName string

@description('Required. Name of the workbook.')
param workbookName string

var builtInRoles = {
  eventHubsDataReceiver: 'a638d3c7-ab3a-418d-83e6-5f17a39d4fde'
  eventHubsDataSender: '2b629674-e913-4c01-ae53-ef4638d8f975'
  logAnalyticsReader: '73c42c96-874c-492b-b04d-ab87d138a893'
  monitoringReader: '43d0d8ad-25c7-4714-9337-8ba259a9fe05'
  reader: 'acdd72a7-3385-48ef-bd42-f606fba81ae7'
  storageBlobDataContributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
}
var hasOperators = !empty(operatorsPrincipalId)
var hasFinance = !empty(financePrincipalId)

resource hub 'Microsoft.EventHub/namespaces/eventhubs@2024-01-01' existing = {
  name: '${namespaceName}/${hubName}'
}

resource deadLetters 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' existing = {
  name: '${storageName}/default/${deadLetterContainer}'
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' existing = {
  name: workbookName
}

// A contributor may not write blob index tags, which say what was sent again and may be deleted. No built-in role but the
// owner's may.
resource tagging 'Microsoft.Authorization/roleDefinitions@2022-04-01' = if (hasOperators) {
  name: guid(resourceGroup().id, 'chargeback-tag-blobs')
  properties: {
    roleName: 'Chargeback: tag blobs (${uniqueString(resourceGroup().id)})'
    description: 'Read and write blob index tags.'
    type: 'CustomRole'
    assignableScopes: array(resourceGroup().id)
    permissions: [
      {
        dataActions: [
          'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/tags/read'
          'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/tags/write'
        ]
      }
    ]
  }
}

resource onHub 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in [builtInRoles.eventHubsDataSender, builtInRoles.eventHubsDataReceiver]: if (hasOperators) {
  name: guid(hub.id, operatorsPrincipalId, role)
  scope: hub
  properties: { roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role), principalId: operatorsPrincipalId, principalType: principalType }
}]

resource onDeadLetters 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (hasOperators) {
  name: guid(deadLetters.id, operatorsPrincipalId, builtInRoles.storageBlobDataContributor)
  scope: deadLetters
  properties: { roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', builtInRoles.storageBlobDataContributor), principalId: operatorsPrincipalId, principalType: principalType }
}

resource onTags 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (hasOperators) {
  name: guid(deadLetters.id, operatorsPrincipalId, tagging.id)
  scope: deadLetters
  properties: { roleDefinitionId: tagging.id, principalId: operatorsPrincipalId, principalType: principalType }
}

resource watches 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (hasOperators) {
  name: guid(insights.id, operatorsPrincipalId, builtInRoles.monitoringReader)
  scope: insights
  properties: { roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', builtInRoles.monitoringReader), principalId: operatorsPrincipalId, principalType: principalType }
}

resource counts 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (hasFinance) {
  name: guid(insights.id, financePrincipalId, builtInRoles.logAnalyticsReader)
  scope: insights
  properties: { roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', builtInRoles.logAnalyticsReader), principalId: financePrincipalId, principalType: principalType }
}

resource reads 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (hasFinance) {
  name: guid(workbook.id, financePrincipalId, builtInRoles.reader)
  scope: workbook
  properties: { roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', builtInRoles.reader), principalId: financePrincipalId, principalType: principalType }
}
