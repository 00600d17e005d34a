// A private network for the function: endpoints of the hub, the storage and Application Insights, and their names.

@description('Required. Beginning of the resources\' names.')
@minLength(3)
param name string

@description('Required. Azure region.')
param location string

@description('Required. Tags of every resource.')
param tags object

@description('Required. Resource ids to reach privately: hubNamespace, storage, statements, insights, workspace.')
param targets object

@description('Optional. First three numbers of a /24: its first /26 is the function\'s, the second the endpoints\'.')
param networkStart string = '10.90.0'

@description('Optional. PrivateOnly shuts Application Insights of others out of this network, and out of every network that is peered with it or shares its DNS. Open lets them pass.')
@allowed(['Open', 'PrivateOnly'])
param monitorAccess string = 'Open'

var monitorZones = ['privatelink.monitor.azure.com', 'privatelink.oms.opinsights.azure.com', 'privatelink.ods.opinsights.azure.com', 'privatelink.agentsvc.azure-automation.net']
var blobZone = 'privatelink.blob.${environment().suffixes.storage}'
var hubZone = 'privatelink.servicebus.windows.net'
var zoneNames = concat([hubZone, blobZone], monitorZones)
var endpoints = [
  { name: 'hub', target: targets.hubNamespace, group: 'namespace', zones: [hubZone] }
  { name: 'storage', target: targets.storage, group: 'blob', zones: [blobZone] }
  { name: 'statements', target: targets.statements, group: 'blob', zones: [blobZone] }
  { name: 'monitor', target: scope.id, group: 'azuremonitor', zones: concat(monitorZones, [blobZone]) }
]

resource rules 'Microsoft.Network/networkSecurityGroups@2024-05-01' = {
  name: '${name}-nsg'
  location: location
  tags: tags
}

resource network 'Microsoft.Network/virtualNetworks@2024-05-01' = {
  name: '${name}-vnet'
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: ['${networkStart}.0/24'] }
    subnets: [
      {
        name: 'function'
        properties: {
          addressPrefix: '${networkStart}.0/26'
          networkSecurityGroup: { id: rules.id }
          delegations: [{ name: 'flex', properties: { serviceName: 'Microsoft.App/environments' } }]
        }
      }
      {
        name: 'endpoints'
        properties: { addressPrefix: '${networkStart}.64/26', networkSecurityGroup: { id: rules.id } }
      }
    ]
  }

  resource functionSubnet 'subnets' existing = { name: 'function' }
  resource endpointSubnet 'subnets' existing = { name: 'endpoints' }
}

resource scope 'Microsoft.Insights/privateLinkScopes@2021-07-01-preview' = {
  name: '${name}-monitor'
  location: 'global'
  tags: tags
  properties: { accessModeSettings: { ingestionAccessMode: monitorAccess, queryAccessMode: monitorAccess } }
}

@batchSize(1)
resource members 'Microsoft.Insights/privateLinkScopes/scopedResources@2021-07-01-preview' = [for member in ['insights', 'workspace']: {
  parent: scope
  name: member
  properties: { linkedResourceId: targets[member] }
}]

resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' = [for zone in zoneNames: {
  name: zone
  location: 'global'
  tags: tags
}]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [for (zone, index) in zoneNames: {
  parent: zones[index]
  name: '${name}-link'
  location: 'global'
  tags: tags
  properties: {
    registrationEnabled: false
    virtualNetwork: { id: network.id }
  }
}]

resource privateEndpoints 'Microsoft.Network/privateEndpoints@2024-05-01' = [for endpoint in endpoints: {
  name: '${name}-${endpoint.name}-endpoint'
  location: location
  tags: tags
  properties: {
    subnet: { id: network::endpointSubnet.id }
    privateLinkServiceConnections: [{ name: endpoint.name, properties: { privateLinkServiceId: endpoint.target, groupIds: [endpoint.group] } }]
  }
  dependsOn: [members]
}]

resource records 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-05-01' = [for (endpoint, index) in endpoints: {
  parent: privateEndpoints[index]
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [for zone in endpoint.zones: { name: replace(zone, '.', '-'), properties: { privateDnsZoneId: resourceId('Microsoft.Network/privateDnsZones', zone) } }]
  }
  dependsOn: [zones]
}]

@description('Resource id of the function\'s subnet.')
output functionSubnetId string = network::functionSubnet.id
