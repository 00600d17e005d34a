// The function's storage: its package, checkpoints and dead letters. Statements have an account of their own.

@description('Required. Name of the account; unique in all of Azure.')
@minLength(3)
@maxLength(24)
param accountName string

@description('Required. Name of the statements\' account; unique in all of Azure.')
@minLength(3)
@maxLength(24)
param statementsAccountName string

@description('Required. Azure region.')
param location string

@description('Required. Tags of every resource.')
param tags object

@description('Required. Principal id of the function.')
param functionPrincipalId string

@description('Optional. Days for which a closed month\'s statement can neither be changed nor deleted: see statements.bicep.')
@minValue(0)
@maxValue(146000)
param immutableStatementDays int = 0

@description('Optional. Days after which dead letters that were sent again are deleted. Others stay for good.')
@minValue(1)
@maxValue(3650)
param replayedDays int = 90

@description('Optional. Whether the accounts can be reached from outside the private network.')
@allowed(['Enabled', 'Disabled'])
param publicAccess string = 'Enabled'

var builtInRoles = {
  // The host keeps leases and checkpoints as blobs, and the function dead letters; only this role may write blob index tags.
  storageBlobDataOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
}

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  name: accountName
  location: location
  tags: tags
  kind: 'StorageV2'
  // Dead letters are usage that is not billed yet: they outlive a zone.
  sku: { name: 'Standard_ZRS' }
  properties: {
    allowSharedKeyAccess: false
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: publicAccess
    networkAcls: { bypass: 'None', defaultAction: publicAccess == 'Enabled' ? 'Allow' : 'Deny' }
  }

  resource blobs 'blobServices' = {
    name: 'default'
    // Every checkpoint sets a blob's metadata. With versions each would be one more, for ever; Event Hubs wants both off. And
    // the versions of a dead letter would outlive its deletion.
    properties: {
      isVersioningEnabled: false
      deleteRetentionPolicy: { enabled: false }
      containerDeleteRetentionPolicy: { enabled: true, days: 30 }
    }

    resource package 'containers' = { name: 'app-package' }
    resource deadLetters 'containers' = { name: 'chargeback-rejected' }
  }

  resource lifecycle 'managementPolicies' = {
    name: 'default'
    properties: {
      policy: {
        rules: [
          {
            name: 'replayed-dead-letters'
            type: 'Lifecycle'
            definition: {
              filters: {
                blobTypes: ['blockBlob']
                prefixMatch: ['chargeback-rejected/']
                blobIndexMatch: [{ name: 'replayed', op: '==', value: 'true' }]
              }
              actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: replayedDays } } }
            }
          }
        ]
      }
    }
  }
}

module statements 'statements.bicep' = {
  name: 'statements'
  params: { accountName: statementsAccountName, location: location, tags: tags, immutableDays: immutableStatementDays, publicAccess: publicAccess }
}

resource writes 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, functionPrincipalId, builtInRoles.storageBlobDataOwner)
  scope: account
  properties: { roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', builtInRoles.storageBlobDataOwner), principalId: functionPrincipalId, principalType: 'ServicePrincipal' }
}

@description('Resource id of the account.')
output id string = account.id

@description('Name of the account.')
output name string = account.name

@description('Address of the container that holds the function\'s package.')
output packageUrl string = '${account.properties.primaryEndpoints.blob}${account::blobs::package.name}'

@description('Container of the dead letters.')
output deadLetterContainer string = account::blobs::deadLetters.name

@description('The statements\' account: id, name.')
output statements object = { id: statements.outputs.id, name: statements.outputs.name }
