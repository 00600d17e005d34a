// Another reader of the hub: Azure Stream Analytics sums usage by application, five minutes at a time, for Power BI.
// It has a consumer group of its own and takes nothing away from the function. docs/deploy.md says what it cannot do, and
// until when: Microsoft stops Power BI as an output on 31 October 2027.

@description('Required. Name of the Event Hubs namespace that main.bicep made.')
@minLength(6)
param namespaceName string

@description('Required. Power BI workspace: id, name. The job\'s identity must be a member of it (Contributor).')
param powerBi object

@description('Optional. Name of the job.')
@minLength(3)
@maxLength(63)
param jobName string = 'chargeback-usage'

@description('Optional. Azure region.')
param location string = resourceGroup().location

@description('Optional. Tags of every resource.')
param tags object = {}

@description('Optional. Name of the hub.')
param hubName string = 'chargeback'

@description('Optional. The reader\'s own consumer group, which main.bicep makes.')
param consumerGroup string = 'stream-analytics'

@description('Optional. Streaming units: about 1 MB a second each. The service takes these numbers alone.')
@allowed([1, 3, 6, 12, 18, 24])
param streamingUnits int = 1

var builtInRoles = {
  eventHubsDataReceiver: 'a638d3c7-ab3a-418d-83e6-5f17a39d4fde'
}

resource hub 'Microsoft.EventHub/namespaces/eventhubs@2024-01-01' existing = {
  name: '${namespaceName}/${hubName}'
}

resource job 'Microsoft.StreamAnalytics/streamingjobs@2021-10-01-preview' = {
  name: jobName
  location: location
  tags: tags
  identity: { type: 'SystemAssigned' }
  properties: {
    sku: { name: 'Standard' }
    compatibilityLevel: '1.2'
    eventsOutOfOrderPolicy: 'Adjust'
    eventsOutOfOrderMaxDelayInSeconds: 60
    eventsLateArrivalMaxDelayInSeconds: 300
    outputErrorPolicy: 'Stop'
    inputs: [
      {
        name: 'usage'
        properties: {
          type: 'Stream'
          serialization: { type: 'Json', properties: { encoding: 'UTF8' } }
          datasource: {
            type: 'Microsoft.EventHub/EventHub'
            properties: { authenticationMode: 'Msi', serviceBusNamespace: namespaceName, eventHubName: hubName, consumerGroupName: consumerGroup }
          }
        }
      }
    ]
    outputs: [
      {
        name: 'powerbi'
        properties: {
          datasource: {
            type: 'PowerBI'
            properties: { authenticationMode: 'Msi', groupId: powerBi.id, groupName: powerBi.name, dataset: 'Chargeback', table: 'Usage' }
          }
        }
      }
    ]
    transformation: { name: 'by-application', properties: { streamingUnits: streamingUnits, query: loadTextContent('stream-analytics.saql') } }
  }
}

resource reads 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(hub.id, jobName, builtInRoles.eventHubsDataReceiver)
  scope: hub
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', builtInRoles.eventHubsDataReceiver)
    principalId: job.identity.principalId
    principalType: 'ServicePrincipal'
  }
}

@description('Principal id of the job, to be made a member of the Power BI workspace.')
output principalId string = job.identity.principalId
