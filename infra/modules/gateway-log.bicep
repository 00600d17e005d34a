// The gateway's own LLM log, by which streams that nobody read get their token counts: a hub that is used for nothing else.
// It holds counts and models; neither prompts nor completions are asked for.

@description('Required. Name of the API Management service.')
param apimName string

@description('Required. Region of the service: diagnostic settings want their hub there.')
param location string

@description('Required. Tags of every resource.')
param tags object

@description('Required. The API whose calls are logged. Its own diagnostic azuremonitor is replaced, and prompts that were logged are no longer.')
param apiName string

@description('Required. Name of the namespace; unique in all of Azure.')
@minLength(6)
@maxLength(50)
param namespaceName string

@description('Required. Principal id of the function, which receives.')
param receiverPrincipalId string

@description('Required. Consumer group of the function.')
param consumerGroup string

@description('Optional. Partitions, fixed once the hub is there.')
@minValue(1)
@maxValue(32)
param partitions int = 4

@description('Optional. Throughput units to begin with; a deployment sets them back to these, as those of the usage hub.')
@minValue(1)
@maxValue(40)
param capacity int = 1

@description('Optional. Throughput units to which the namespace grows by itself, if that is more than capacity.')
@minValue(1)
@maxValue(40)
param maximumCapacity int = 10

var builtInRoles = { eventHubsDataReceiver: 'a638d3c7-ab3a-418d-83e6-5f17a39d4fde' }

resource hubNamespace 'Microsoft.EventHub/namespaces@2024-01-01' = {
  name: namespaceName
  location: location
  tags: tags
  sku: { name: 'Standard', tier: 'Standard', capacity: capacity }
  properties: {
    // Diagnostic settings send with a rule of the namespace and know no identity. Nobody reads the rule's key.
    disableLocalAuth: false
    minimumTlsVersion: '1.2'
    zoneRedundant: true
    isAutoInflateEnabled: true
    maximumThroughputUnits: max(capacity, maximumCapacity)
  }

  resource sends 'authorizationRules' = {
    name: 'diagnostic-settings'
    properties: { rights: ['Manage', 'Send', 'Listen'] }
  }

  resource hub 'eventhubs' = {
    name: 'gateway-log'
    properties: {
      partitionCount: partitions
      retentionDescription: { cleanupPolicy: 'Delete', retentionTimeInHours: 168 }
    }

    resource group 'consumergroups' = { name: consumerGroup }
  }

  // Azure Monitor comes as a trusted service; the function over the public address, by its identity.
  resource rules 'networkRuleSets' = {
    name: 'default'
    properties: { defaultAction: 'Allow', publicNetworkAccess: 'Enabled', trustedServiceAccessEnabled: true }
  }
}

resource receives 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(hubNamespace::hub.id, receiverPrincipalId, builtInRoles.eventHubsDataReceiver)
  scope: hubNamespace::hub
  properties: { roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', builtInRoles.eventHubsDataReceiver), principalId: receiverPrincipalId, principalType: 'ServicePrincipal' }
}

resource apim 'Microsoft.ApiManagement/service@2024-05-01' existing = {
  name: apimName

  resource api 'apis' existing = { name: apiName }

  resource logger 'loggers' = {
    name: 'azuremonitor'
    properties: { loggerType: 'azureMonitor', isBuffered: true }
  }
}

// The version before has no largeLanguageModel.
resource diagnostic 'Microsoft.ApiManagement/service/apis/diagnostics@2024-06-01-preview' = {
  parent: apim::api
  name: 'azuremonitor'
  properties: {
    loggerId: apim::logger.id
    alwaysLog: 'allErrors'
    sampling: { samplingType: 'fixed', percentage: 100 }
    largeLanguageModel: { logs: 'enabled' }
  }
}

resource exports 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'chargeback-llm-log'
  scope: apim
  properties: { eventHubAuthorizationRuleId: hubNamespace::sends.id, eventHubName: hubNamespace::hub.name, logs: [{ category: 'GatewayLlmLogs', enabled: true }] }
}

@description('Host name of the namespace.')
output endpoint string = replace(replace(hubNamespace.properties.serviceBusEndpoint, 'https://', ''), ':443/', '')

@description('Name of the hub.')
output hubName string = hubNamespace::hub.name
