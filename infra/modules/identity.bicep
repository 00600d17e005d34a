// The identity that the function works with: it needs no key to anything.

@description('Required. Name of the identity.')
@minLength(3)
@maxLength(128)
param name string

@description('Required. Azure region.')
param location string

@description('Required. Tags of every resource.')
param tags object

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: name
  location: location
  tags: tags
}

@description('Resource id of the identity.')
output id string = identity.id

@description('Client id, by which settings name the identity.')
output clientId string = identity.properties.clientId

@description('Principal id, to which roles are given.')
output principalId string = identity.properties.principalId
