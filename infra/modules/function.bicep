// The function app, on Flex Consumption: no key in any setting, every connection is the identity's.

@description('Required. Name of the app; unique in all of Azure.')
@minLength(2)
@maxLength(60)
param appName string

@description('Required. Azure region.')
param location string

@description('Required. Tags of every resource.')
param tags object

@description('Required. The app\'s identity: id, clientId.')
param identity object

@description('Required. Its storage: name, packageUrl (address of the package\'s container), deadLetterContainer.')
param storage object

@description('Required. Where Application Insights takes events. An address: its local authentication is off.')
param connectionString string

@description('Required. The hub of usage records: endpoint, hubName, consumerGroup.')
param hub object

@description('Required. The hub of the gateway\'s log: endpoint, hubName; empty where it is not read.')
param gatewayLogHub object

@description('Optional. Python version.')
@allowed(['3.11', '3.12', '3.13'])
param pythonVersion string = '3.13'

@description('Optional. Instances of each trigger that are always warm; 0 scales to none.')
@minValue(0)
@maxValue(20)
param alwaysReady int = 0

@description('Optional. Most instances at a time.')
@minValue(40)
@maxValue(1000)
param maximumInstances int = 40

@description('Optional. Subnet through which the app reaches its services; empty is none.')
param subnetId string = ''

var readsGatewayLog = !empty(gatewayLogHub.hubName)
var settings = union({
  APPLICATIONINSIGHTS_CONNECTION_STRING: connectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'Authorization=AAD;ClientId=${identity.clientId}'
  AzureWebJobsStorage__accountName: storage.name
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identity.clientId
  EVENT_HUB_NAME: hub.hubName
  EVENT_HUB_CONSUMER_GROUP: hub.consumerGroup
  EventHubConnection__fullyQualifiedNamespace: hub.endpoint
  EventHubConnection__credential: 'managedidentity'
  EventHubConnection__clientId: identity.clientId
  GATEWAY_LOG_HUB_NAME: gatewayLogHub.hubName
  CHARGEBACK_DEAD_LETTER_CONTAINER: storage.deadLetterContainer
  PYTHON_ENABLE_OPENTELEMETRY: 'true'
  APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL: 'true'
  APPLICATIONINSIGHTS_SDKSTATS_DISABLED: 'true'
  APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED: 'true'
}, readsGatewayLog ? {
  GatewayLogConnection__fullyQualifiedNamespace: gatewayLogHub.endpoint
  GatewayLogConnection__credential: 'managedidentity'
  GatewayLogConnection__clientId: identity.clientId
} : {})
var triggers = concat(['ChargebackEventHubTrigger'], readsGatewayLog ? ['ChargebackGatewayLogTrigger'] : [])

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  name: '${appName}-plan'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true }
}

resource app 'Microsoft.Web/sites@2024-11-01' = {
  name: appName
  location: location
  tags: union(tags, { 'azd-service-name': 'function' })
  kind: 'functionapp,linux'
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identity.id}': {} } }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    functionAppConfig: {
      runtime: { name: 'python', version: pythonVersion }
      deployment: {
        storage: { type: 'blobContainer', value: storage.packageUrl, authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identity.id } }
      }
      scaleAndConcurrency: {
        maximumInstanceCount: maximumInstances
        instanceMemoryMB: 512 // a loaded worker with a batch of 1000 takes about 60
        alwaysReady: [for trigger in (alwaysReady == 0 ? [] : triggers): { name: 'function:${trigger}', instanceCount: alwaysReady }]
      }
    }
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      http20Enabled: true
      ftpsState: 'Disabled'
      appSettings: [for setting in items(settings): { name: setting.key, value: setting.value }]
    }
  }
}

resource noPasswords 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = [for door in ['ftp', 'scm']: {
  parent: app
  name: door
  properties: { allow: false }
}]

@description('Name of the app.')
output name string = app.name
