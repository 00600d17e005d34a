// An API for Azure OpenAI's calls, whatever they are called: callers keep their paths, and the gateway keeps the key.

@description('Required. Name of the API Management service.')
param apimName string

@description('Required. Name of the API.')
param apiName string

@description('Optional. Where callers find it: https://GATEWAY/openai.')
param path string = 'openai'

// The deployment in the URL is a parameter that the policy reads; of other calls it reads the body's model.
var ofDeployment = [{ name: 'deployment-id', type: 'string', required: true }]
var operations = [
  { name: 'deployments-post', method: 'POST', urlTemplate: '/deployments/{deployment-id}/*', parameters: ofDeployment }
  { name: 'post', method: 'POST', urlTemplate: '/*', parameters: [] }
  { name: 'get', method: 'GET', urlTemplate: '/*', parameters: [] }
  { name: 'delete', method: 'DELETE', urlTemplate: '/*', parameters: [] }
]

resource apim 'Microsoft.ApiManagement/service@2024-05-01' existing = {
  name: apimName
}

resource api 'Microsoft.ApiManagement/service/apis@2024-05-01' = {
  parent: apim
  name: apiName
  properties: {
    displayName: 'Azure OpenAI'
    path: path
    protocols: ['https']
    subscriptionRequired: true
    // As Azure OpenAI's SDKs send it. The policy removes both before the call goes on.
    subscriptionKeyParameterNames: { header: 'api-key', query: 'subscription-key' }
  }
}

@batchSize(1)
resource calls 'Microsoft.ApiManagement/service/apis/operations@2024-05-01' = [for operation in operations: {
  parent: api
  name: operation.name
  properties: {
    displayName: '${operation.method} ${operation.urlTemplate}'
    method: operation.method
    urlTemplate: operation.urlTemplate
    templateParameters: operation.parameters
  }
}]
