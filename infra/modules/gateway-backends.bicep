// The model accounts behind the gateway: a backend each, in one pool with priorities. Where there is another to turn to, each
// has a circuit breaker. A breaker is for all of an account's deployments, so that one of an account that is alone would turn
// a busy deployment's 429 into a 503 for all of them.

@description('Required. Name of the API Management service.')
param apimName string

@description('Required. Principal id of the gateway\'s identity.')
param principalId string

@description('Required. Accounts: name (a backend of this name is replaced), priority (1 is first) and weight; accountName of one that is there and stays as it is; without it one is made, with location and deployments (name, model, version, sku, capacity). Both with resourceGroup and subscriptionId where they are others.')
@minLength(1)
@maxLength(30)
param backends array

@description('Required. Tags of every resource.')
param tags object

@description('Optional. Name of the pool, as the named values chargeback-backend-* have it; no backend may have it too.')
param poolName string = 'openai'

var ownSubscription = subscription().subscriptionId
var ownGroup = resourceGroup().name
var breaker = {
  rules: [
    {
      name: 'busy-or-failing'
      failureCondition: {
        count: 1
        interval: 'PT10S'
        statusCodeRanges: [{ min: 429, max: 429 }, { min: 500, max: 599 }]
      }
      tripDuration: 'PT10S'
      // A provisioned deployment says for how long it is busy.
      acceptRetryAfter: true
    }
  ]
}

resource apim 'Microsoft.ApiManagement/service@2024-05-01' existing = {
  name: apimName
}

module accounts 'model-account.bicep' = [for backend in backends: {
  name: 'account-${backend.name}'
  scope: resourceGroup(backend.?subscriptionId ?? ownSubscription, backend.?resourceGroup ?? ownGroup)
  params: {
    accountName: backend.?accountName ?? '${backend.name}-${uniqueString(resourceGroup().id, backend.name)}'
    isNew: empty(backend.?accountName)
    location: backend.?location ?? ''
    deployments: backend.?deployments ?? []
    principalId: principalId
    tags: tags
  }
}]

resource members 'Microsoft.ApiManagement/service/backends@2024-05-01' = [for (backend, index) in backends: {
  parent: apim
  name: backend.name
  properties: {
    type: 'Single'
    protocol: 'http'
    url: '${accounts[index].outputs.endpoint}openai'
    circuitBreaker: length(backends) > 1 ? breaker : null
    tls: { validateCertificateChain: true, validateCertificateName: true }
  }
}]

resource pool 'Microsoft.ApiManagement/service/backends@2024-05-01' = {
  parent: apim
  name: poolName
  properties: {
    type: 'Pool'
    pool: {
      services: [for (backend, index) in backends: { id: members[index].id, priority: backend.?priority ?? 1, weight: backend.?weight ?? 1 }]
    }
  }
}
