// What the gateway needs to record usage: the hub's logger, named values, policy fragments, and the API with its policy.

@description('Required. Name of the API Management service.')
param apimName string

@description('Required. Principal id of the gateway\'s identity.')
param principalId string

@description('Required. Name of the API.')
param apiName string

@description('Required. Whether to make the API. One that is there already keeps its operations.')
param createApi bool

@description('Required. The API\'s policy: full (record, limits, routing, authentication), minimal (record alone), or none, which makes the fragments and leaves the API\'s own policy alone. Full and minimal replace it.')
@allowed(['full', 'minimal', 'none'])
param apiPolicy string

@description('Required. The hub of usage records: endpoint, hubName.')
param hub object

@description('Required. Named values that differ from infra/policies/named-values.json, or from what this deployment makes of them: name to value.')
param namedValues object

@description('Required. Model accounts behind the gateway; gateway-backends.bicep says what each has. None leaves all backends alone.')
param backends array

@description('Required. Consumers with a subscription; consumers.bicep says what each has.')
param consumers array

@description('Required. Tags of every resource.')
param tags object

@description('Required. Whether token metrics are sent to Application Insights, for dashboards.')
param emitTokenMetrics bool

@description('Required. Name of Application Insights.')
param insightsName string

var fragments = [
  { name: 'authenticate-backend', xml: loadTextContent('../policies/authenticate-backend.xml') }
  { name: 'emit-token-metrics', xml: loadTextContent('../policies/emit-token-metrics.xml') }
  { name: 'find-deployment', xml: loadTextContent('../policies/find-deployment.xml') }
  { name: 'identify-caller', xml: loadTextContent('../policies/identify-caller.xml') }
  { name: 'limit-tokens', xml: loadTextContent('../policies/limit-tokens.xml') }
  { name: 'limit-tokens-answer', xml: loadTextContent('../policies/limit-tokens-answer.xml') }
  { name: 'record-usage', xml: loadTextContent('../policies/record-usage.xml') }
  { name: 'request-usage', xml: loadTextContent('../policies/request-usage.xml') }
  { name: 'retry-backends', xml: loadTextContent('../policies/retry-backends.xml') }
  { name: 'route-by-priority', xml: loadTextContent('../policies/route-by-priority.xml') }
  { name: 'validate-entra-token', xml: loadTextContent('../policies/validate-entra-token.xml') }
]
var document = loadTextContent('../policies/api.xml')
// Nobody emits where nobody listens.
var full = emitTokenMetrics ? document : replace(document, '<include-fragment fragment-id="emit-token-metrics" />', '')
// Tokens are of this tenant; a backend that is alone is not asked again at once.
var ownValues = { 'chargeback-entra-tenant-id': tenant().tenantId, 'chargeback-retry-at-once': length(backends) == 1 ? 'false' : 'true' }
var values = union(loadJsonContent('../policies/named-values.json'), ownValues, namedValues)

resource apim 'Microsoft.ApiManagement/service@2024-05-01' existing = {
  name: apimName

  resource charged 'apis' existing = { name: apiName }
}

resource logger 'Microsoft.ApiManagement/service/loggers@2024-05-01' = {
  parent: apim
  name: 'chargeback-usage'
  properties: {
    loggerType: 'azureEventHub'
    credentials: { name: hub.hubName, endpointAddress: hub.endpoint, identityClientId: 'SystemAssigned' }
  }
}

@batchSize(1)
resource settings 'Microsoft.ApiManagement/service/namedValues@2024-05-01' = [for value in items(values): {
  parent: apim
  name: value.key
  properties: { displayName: value.key, value: value.value }
}]

@batchSize(1)
resource policyFragments 'Microsoft.ApiManagement/service/policyFragments@2024-05-01' = [for fragment in fragments: {
  parent: apim
  name: 'chargeback-${fragment.name}' // a gateway that is there may have others of the short name
  properties: { format: 'rawxml', value: fragment.xml }
  dependsOn: [logger, settings]
}]

module api 'gateway-api.bicep' = if (createApi) {
  name: 'gateway-api'
  params: { apimName: apimName, apiName: apiName }
}

module pool 'gateway-backends.bicep' = if (!empty(backends)) {
  name: 'gateway-backends'
  params: { apimName: apimName, principalId: principalId, backends: backends, tags: tags }
}

module metrics 'token-metrics.bicep' = if (emitTokenMetrics) {
  name: 'token-metrics'
  params: { apimName: apimName, apiName: apiName, principalId: principalId, insightsName: insightsName }
  dependsOn: [api]
}

resource policy 'Microsoft.ApiManagement/service/apis/policies@2024-05-01' = if (apiPolicy != 'none') {
  parent: apim::charged
  name: 'policy'
  properties: { format: 'rawxml', value: replace(apiPolicy == 'full' ? full : loadTextContent('../policies/api-minimal.xml'), 'fragment-id="', 'fragment-id="chargeback-') }
  dependsOn: [api, pool, metrics, policyFragments]
}

module subscriptions 'consumers.bicep' = if (!empty(consumers)) {
  name: 'consumers'
  params: { apimName: apimName, apiName: apiName, consumers: consumers }
  dependsOn: [api]
}

@description('Rows for consumers.kql, one a consumer: append them, with a day.')
output consumerRows array = empty(consumers) ? [] : subscriptions!.outputs.rows
