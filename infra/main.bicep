// From an empty resource group to the first charged token. docs/deploy.md says what each parameter means in practice.
targetScope = 'resourceGroup'

@description('Optional. Beginning of all names.')
@minLength(3)
@maxLength(11)
param name string = 'chargeback'
@description('Optional. Azure region.')
param location string = resourceGroup().location
@description('Optional. Tags of every resource.')
param tags object = {}

@description('Optional. An API Management service in this resource group; empty makes a new one.')
param apimName string = ''
@description('Optional. A new service: sku (BasicV2), email and name of its publisher.')
param newApim object = {}

@description('Optional. The API whose calls are charged; where createApi is false it must be there.')
param apiName string = 'azure-openai'
@description('Optional. Whether to make the API, at https://GATEWAY/openai; not on a gateway that is there, unless asked.')
param createApi bool = empty(apimName)
@description('Optional. The API\'s policy: full and minimal replace the API\'s own; none makes the fragments alone, to be included by hand.')
@allowed(['full', 'minimal', 'none'])
param apiPolicy string = createApi ? 'full' : 'none'

@description('Optional. Named values that differ from infra/policies/named-values.json: name to value.')
param namedValues object = {}

@description('Optional. Model accounts behind the gateway, existing or new: see modules/gateway-backends.bicep.')
param backends array = []
@description('Optional. Consumers that get a subscription: see modules/consumers.bicep.')
param consumers array = []

@description('Optional. How streams get their counts: eventHub reads the gateway\'s log; with none live streams stay pending.')
@allowed(['eventHub', 'none'])
param streamCompletion string = 'eventHub'

@description('Optional. Whether the gateway sends token metrics too, for dashboards. They are never the bill.')
param emitTokenMetrics bool = false

@description('Optional. Python version of the function.')
@allowed(['3.11', '3.12', '3.13'])
param pythonVersion string = '3.13'

@description('Optional. Partitions of the hub, 1 to 32, fixed once it is there: one instance of the function reads each at most.')
@minValue(1)
@maxValue(32)
param partitions int = 8
@description('Optional. Of both hubs, throughputUnits (1) and maximumThroughputUnits (10); of the usage hub, retentionHours (168).')
param hubSize object = {}
@description('Optional. Instances of the function: alwaysReady, maximum.')
param instances object = {}

@description('Optional. Days for which events are kept, 31 to 730.')
@minValue(31)
@maxValue(730)
param retentionDays int = 730
@description('Optional. Gigabytes a day after which Application Insights takes no more until the next. An alert fires before.')
@minValue(1)
@maxValue(1000)
param dailyCapGb int = 1000
@description('Optional. Days for which a closed month\'s statement cannot be changed; 0 leaves that to versions.')
@minValue(0)
@maxValue(146000)
param immutableStatementDays int = 0

@description('Optional. E-mail addresses that alerts go to.')
param alertEmails array = []

@description('Optional. Principal id of a group that may send again, and watch.')
param operatorsPrincipalId string = ''
@description('Optional. Principal id of a group that may read numbers.')
param financePrincipalId string = ''

@description('Optional. A private network for the function, the hub, the storage and Application Insights.')
param privateNetwork bool = false
@description('Optional. With a private network: first three numbers of its /24, which no peered network may have.')
param networkStart string = '10.90.0'
@description('Optional. Whether the gateway of apimName reaches the private network: only then is the hub closed to the public.')
param gatewayIsInVnet bool = false
@description('Optional. With a private network, what may come from outside: ingestion (Disabled), queries (Enabled).')
param publicMonitoring object = {}
@description('Optional. With a private network: PrivateOnly shuts other Application Insights out, in peered networks too.')
@allowed(['Open', 'PrivateOnly'])
param monitorAccess string = 'Open'

var suffix = uniqueString(resourceGroup().id, name)
var allTags = union({ solution: 'azure-openai-chargeback' }, tags)
// The gateway, and what it writes.
module service 'modules/gateway-service.bicep' = {
  name: 'gateway-service'
  params: { apimName: empty(apimName) ? '${name}-${suffix}' : apimName, isNew: empty(apimName), location: location, tags: allTags, publisher: { email: newApim.?email ?? 'noreply@example.com', name: newApim.?name ?? 'Chargeback' }, sku: newApim.?sku ?? 'BasicV2' }
}
module gateway 'modules/gateway.bicep' = {
  name: 'gateway'
  params: { apimName: service.outputs.name, principalId: service.outputs.principalId, apiName: apiName, createApi: createApi, apiPolicy: apiPolicy, hub: hub, namedValues: namedValues, backends: backends, consumers: consumers, tags: allTags, emitTokenMetrics: emitTokenMetrics, insightsName: monitoring.outputs.insightsName }
}
module gatewayLog 'modules/gateway-log.bicep' = if (streamCompletion == 'eventHub') {
  name: 'gateway-log'
  params: { apimName: service.outputs.name, apiName: apiName, location: service.outputs.location, tags: allTags, namespaceName: '${name}-log-${suffix}', receiverPrincipalId: identity.outputs.principalId, consumerGroup: eventHub.outputs.consumerGroup, capacity: hubSize.?throughputUnits ?? 1, maximumCapacity: hubSize.?maximumThroughputUnits ?? 10 }
  dependsOn: [gateway]
}

// From the hub to Application Insights.
module identity 'modules/identity.bicep' = {
  name: 'identity'
  params: { name: '${name}-function', location: location, tags: allTags }
}
module eventHub 'modules/eventhub.bicep' = {
  name: 'eventhub'
  params: { namespaceName: '${name}-${suffix}', location: location, tags: allTags, senderPrincipalId: service.outputs.principalId, receiverPrincipalId: identity.outputs.principalId, partitions: partitions, retentionHours: hubSize.?retentionHours ?? 168, capacity: hubSize.?throughputUnits ?? 1, maximumCapacity: hubSize.?maximumThroughputUnits ?? 10, publicAccess: privateNetwork && gatewayIsInVnet && !empty(apimName) ? 'Disabled' : 'Enabled' }
}
var hub = { hubName: eventHub.outputs.hubName, endpoint: eventHub.outputs.endpoint, consumerGroup: eventHub.outputs.consumerGroup }
var accountStart = toLower(replace(name, '-', ''))
module storage 'modules/storage.bicep' = {
  name: 'storage'
  params: { accountName: take('${accountStart}${suffix}', 24), statementsAccountName: take('st${suffix}${accountStart}', 24), location: location, tags: allTags, functionPrincipalId: identity.outputs.principalId, immutableStatementDays: immutableStatementDays, publicAccess: privateNetwork ? 'Disabled' : 'Enabled' }
}
module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  params: { name: name, location: location, tags: allTags, publisherPrincipalId: identity.outputs.principalId, retentionDays: retentionDays, dailyCapGb: dailyCapGb, publicIngestion: privateNetwork ? publicMonitoring.?ingestion ?? 'Disabled' : 'Enabled', publicQueries: privateNetwork ? publicMonitoring.?queries ?? 'Enabled' : 'Enabled' }
}
module network 'modules/network.bicep' = if (privateNetwork) {
  name: 'network'
  params: { name: name, location: location, tags: allTags, targets: { hubNamespace: eventHub.outputs.namespaceId, storage: storage.outputs.id, statements: storage.outputs.statements.id, insights: monitoring.outputs.insightsId, workspace: monitoring.outputs.workspaceId }, networkStart: networkStart, monitorAccess: monitorAccess }
}
module function 'modules/function.bicep' = {
  name: 'function'
  params: { appName: '${name}-${suffix}', location: location, tags: allTags, identity: { id: identity.outputs.id, clientId: identity.outputs.clientId }, storage: { name: storage.outputs.name, packageUrl: storage.outputs.packageUrl, deadLetterContainer: storage.outputs.deadLetterContainer }, connectionString: monitoring.outputs.connectionString, hub: hub, gatewayLogHub: { endpoint: streamCompletion == 'eventHub' ? gatewayLog!.outputs.endpoint : '', hubName: streamCompletion == 'eventHub' ? gatewayLog!.outputs.hubName : '' }, pythonVersion: pythonVersion, alwaysReady: instances.?alwaysReady ?? 0, maximumInstances: instances.?maximum ?? 40, subnetId: privateNetwork ? network!.outputs.functionSubnetId : '' }
}
// What people see.
module reports 'modules/reports.bicep' = {
  name: 'reports'
  params: { name: name, location: location, tags: allTags, insightsId: monitoring.outputs.insightsId, alertEmails: alertEmails, dailyCapGb: dailyCapGb }
}
module people 'modules/readers.bicep' = {
  name: 'readers'
  params: { operatorsPrincipalId: operatorsPrincipalId, financePrincipalId: financePrincipalId, namespaceName: eventHub.outputs.namespaceName, hubName: eventHub.outputs.hubName, storageName: storage.outputs.name, deadLetterContainer: storage.outputs.deadLetterContainer, insightsName: monitoring.outputs.insightsName, workbookName: reports.outputs.workbookName }
}

@description('Name of the function app, to publish to.')
output functionAppName string = function.outputs.name
@description('Resource id of Application Insights, which reports are asked of.')
output insightsId string = monitoring.outputs.insightsId
@description('Storage account of closed months, for AzureWebJobsStorage__accountName of whoever closes them.')
output statementsAccount string = storage.outputs.statements.name
@description('Where callers find the API made here.')
output apiUrl string = '${service.outputs.gatewayUrl}/openai'
@description('Rows for kql/lib/consumers.kql, one for each consumer.')
output consumerRows array = gateway.outputs.consumerRows
