// The hub that the gateway writes usage records to, and who may write and read it.

@description('Required. Name of the namespace; unique in all of Azure.')
@minLength(6)
@maxLength(50)
param namespaceName string

@description('Required. Azure region.')
param location string

@description('Required. Tags of every resource.')
param tags object

@description('Required. Principal id of the gateway, which sends.')
param senderPrincipalId string

@description('Required. Principal id of the function, which receives.')
param receiverPrincipalId string

@description('Optional. Partitions, fixed once the hub is there. At most one function instance reads a partition.')
@minValue(1)
@maxValue(32)
param partitions int = 8

@description('Optional. Hours for which records wait for a function that is down.')
@minValue(24)
@maxValue(168)
param retentionHours int = 168

@description('Optional. Throughput units to begin with: 1,000 records or 1 MB a second each. A deployment sets them back to these after auto-inflate raised them: give the number that the namespace has grown to.')
@minValue(1)
@maxValue(40)
param capacity int = 1

@description('Optional. Throughput units to which the namespace grows by itself, if that is more than capacity.')
@minValue(1)
@maxValue(40)
param maximumCapacity int = 10

@description('Optional. Whether the hub can be reached from outside the private network. A gateway outside of it needs that.')
@allowed(['Enabled', 'Disabled'])
param publicAccess string = 'Enabled'

@description('Optional. Consumer groups: the first is the function\'s, the others are for other readers of the records.')
@minLength(1)
param consumerGroups array = ['chargeback', 'stream-analytics', 'fabric']

var builtInRoles = {
  eventHubsDataReceiver: 'a638d3c7-ab3a-418d-83e6-5f17a39d4fde'
  eventHubsDataSender: '2b629674-e913-4c01-ae53-ef4638d8f975'
}

resource hubNamespace 'Microsoft.EventHub/namespaces@2024-01-01' = {
  name: namespaceName
  location: location
  tags: tags
  sku: {
    name: 'Standard'
    tier: 'Standard'
    capacity: capacity
  }
  properties: {
    disableLocalAuth: true
    minimumTlsVersion: '1.2'
    zoneRedundant: true
    isAutoInflateEnabled: true
    maximumThroughputUnits: max(capacity, maximumCapacity)
    publicNetworkAccess: publicAccess
  }
}

resource hub 'Microsoft.EventHub/namespaces/eventhubs@2024-01-01' = {
  parent: hubNamespace
  name: 'chargeback'
  properties: {
    partitionCount: partitions
    retentionDescription: {
      cleanupPolicy: 'Delete'
      retentionTimeInHours: retentionHours
    }
  }
}

@batchSize(1)
resource groups 'Microsoft.EventHub/namespaces/eventhubs/consumergroups@2024-01-01' = [for group in consumerGroups: {
  parent: hub
  name: group
}]

resource uses 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for use in [
  { principalId: senderPrincipalId, role: builtInRoles.eventHubsDataSender }
  { principalId: receiverPrincipalId, role: builtInRoles.eventHubsDataReceiver }
]: {
  name: guid(hub.id, use.principalId, use.role)
  scope: hub
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', use.role)
    principalId: use.principalId
    principalType: 'ServicePrincipal'
  }
}]

@description('Resource id of the namespace.')
output namespaceId string = hubNamespace.id

@description('Name of the namespace.')
output namespaceName string = hubNamespace.name

@description('Name of the hub.')
output hubName string = hub.name

@description('Host name of the namespace.')
output endpoint string = replace(replace(hubNamespace.properties.serviceBusEndpoint, 'https://', ''), ':443/', '')

@description('The function\'s consumer group.')
output consumerGroup string = groups[0].name
