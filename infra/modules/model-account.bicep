// A model account that the gateway may call as itself: one that is there already, which stays as it is, or a new one with
// its deployments.

@description('Required. Name of the account, which is its subdomain too.')
@minLength(2)
@maxLength(64)
param accountName string

@description('Required. Whether to make the account.')
param isNew bool

@description('Required. Region of a new account; empty is the region of its resource group.')
param location string

@description('Optional. Region of the resource group.')
param groupLocation string = resourceGroup().location

@description('Required. Deployments of a new account: name, model, version, sku, capacity.')
param deployments array

@description('Required. Principal id of the gateway\'s identity.')
param principalId string

@description('Required. Tags of a new account.')
param tags object

var builtInRoles = {
  cognitiveServicesOpenAIUser: '5e0bd9bd-7b93-4f28-af87-19fc36ad61bd'
}

resource created 'Microsoft.CognitiveServices/accounts@2025-06-01' = if (isNew) {
  name: accountName
  location: empty(location) ? groupLocation : location
  tags: tags
  kind: 'AIServices'
  sku: { name: 'S0' }
  identity: { type: 'SystemAssigned' }
  properties: { customSubDomainName: accountName, disableLocalAuth: true, publicNetworkAccess: 'Enabled' }
}

@batchSize(1)
resource models 'Microsoft.CognitiveServices/accounts/deployments@2025-06-01' = [for deployment in deployments: if (isNew) {
  parent: created
  name: deployment.name
  tags: tags
  sku: { name: deployment.sku, capacity: deployment.capacity }
  properties: {
    model: { format: 'OpenAI', name: deployment.model, version: deployment.version }
    // A price belongs to a version: another one comes when somebody asks for it.
    versionUpgradeOption: 'OnceCurrentVersionExpired'
  }
}]

resource account 'Microsoft.CognitiveServices/accounts@2025-06-01' existing = {
  name: accountName
}

resource calls 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, principalId, builtInRoles.cognitiveServicesOpenAIUser)
  scope: account
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', builtInRoles.cognitiveServicesOpenAIUser)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
  dependsOn: [created]
}

@description('Address of the account, with a slash at its end.')
output endpoint string = isNew ? created!.properties.endpoint : account.properties.endpoint
