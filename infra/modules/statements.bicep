// The statements of closed months: every version is kept, and where asked none can be changed. The function has no role here.

@description('Required. Name of the account; unique in all of Azure.')
@minLength(3)
@maxLength(24)
param accountName string

@description('Required. Azure region.')
param location string

@description('Required. Tags of every resource.')
param tags object

@description('Optional. Days for which a statement can neither be changed nor deleted; 0 leaves that to versions. The policy is not locked: who must prove that it cannot be lifted locks it, and then deploys with 0, because a locked policy takes no deployment.')
@minValue(0)
@maxValue(146000)
param immutableDays int = 0

@description('Optional. Whether the account can be reached from outside the private network.')
@allowed(['Enabled', 'Disabled'])
param publicAccess string = 'Enabled'

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  name: accountName
  location: location
  tags: tags
  kind: 'StorageV2'
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
    // What somebody deletes or overwrites can be had back.
    properties: {
      isVersioningEnabled: true
      deleteRetentionPolicy: { enabled: true, days: 30 }
      containerDeleteRetentionPolicy: { enabled: true, days: 30 }
    }

    resource statements 'containers' = { name: 'statements' }
  }
}

resource immutable 'Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies@2025-01-01' = if (immutableDays > 0) {
  parent: account::blobs::statements
  name: 'default'
  properties: { immutabilityPeriodSinceCreationInDays: immutableDays }
}

@description('Resource id of the account.')
output id string = account.id

@description('Name of the account.')
output name string = account.name
