// The API Management service: one that is there already, or a new one.

@description('Required. Name of the service; one in this resource group is used where isNew is false.')
@minLength(1)
@maxLength(50)
param apimName string

@description('Required. Whether to make the service. One that is there already must have a system-assigned identity: az apim update --name NAME --resource-group GROUP --set identity.type=SystemAssigned (with user-assigned identities on it: "SystemAssigned, UserAssigned", else they are taken off)')
param isNew bool

@description('Required. Azure region of a new service.')
param location string

@description('Required. Tags of a new service.')
param tags object

@description('Required. Publisher of a new service: email, name.')
param publisher object

@description('Required. Tier of a new service. Consumption takes policies of 16 KB at most, too little for these.')
@allowed(['Developer', 'Basic', 'Standard', 'Premium', 'BasicV2', 'StandardV2'])
param sku string

resource created 'Microsoft.ApiManagement/service@2024-05-01' = if (isNew) {
  name: apimName
  location: location
  tags: tags
  sku: { name: sku, capacity: 1 }
  identity: { type: 'SystemAssigned' }
  properties: {
    publisherEmail: publisher.email
    publisherName: publisher.name
    customProperties: contains(sku, 'V2') ? {} : {
      'Microsoft.WindowsAzure.ApiManagement.Gateway.Security.Protocols.Tls10': 'false'
      'Microsoft.WindowsAzure.ApiManagement.Gateway.Security.Protocols.Tls11': 'false'
      'Microsoft.WindowsAzure.ApiManagement.Gateway.Security.Backend.Protocols.Tls10': 'false'
      'Microsoft.WindowsAzure.ApiManagement.Gateway.Security.Backend.Protocols.Tls11': 'false'
    }
  }
}

resource found 'Microsoft.ApiManagement/service@2024-05-01' existing = if (!isNew) {
  name: apimName
}

@description('Name of the service.')
output name string = apimName

@description('Resource id of the service.')
output id string = isNew ? created.id : found.id

@description('Principal id of the gateway\'s own identity.')
output principalId string = isNew ? created!.identity.principalId : found!.identity.principalId

@description('Region of the service, in which diagnostic settings need their hub.')
output location string = isNew ? created!.location : found!.location

@description('Address of the gateway.')
output gatewayUrl string = isNew ? created!.properties.gatewayUrl : found!.properties.gatewayUrl
