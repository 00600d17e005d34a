// Application Insights, which holds every usage event, and the workspace under it. Nothing is sampled.

@description('Required. Beginning of the resources\' names.')
@minLength(3)
param name string

@description('Required. Azure region.')
param location string

@description('Required. Tags of every resource.')
param tags object

@description('Required. Principal id of the identity that publishes events: the function\'s.')
param publisherPrincipalId string

@description('Optional. Days for which events are kept. A year\'s statements can be made again from 730.')
@minValue(31)
@maxValue(730)
param retentionDays int = 730

@description('Optional. Gigabytes a day after which Application Insights takes no more until the next day; it has a cap always, 1,000 at most unless Microsoft\'s support raises it. The hub holds meanwhile what is refused (7 days): an alert fires before it.')
@minValue(1)
@maxValue(1000)
param dailyCapGb int = 1000

@description('Optional. Whether events may come from outside the private network.')
@allowed(['Enabled', 'Disabled'])
param publicIngestion string = 'Enabled'

@description('Optional. Whether queries may come from outside the private network.')
@allowed(['Enabled', 'Disabled'])
param publicQueries string = 'Enabled'

var builtInRoles = {
  monitoringMetricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb'
}

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-02-01' = {
  name: '${name}-logs'
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: retentionDays
    // No second cap here: what it refuses may be lost, because Application Insights has accepted it by then.
    workspaceCapping: { dailyQuotaGb: -1 }
    features: {
      disableLocalAuth: true
      enableLogAccessUsingOnlyResourcePermissions: true
    }
    publicNetworkAccessForIngestion: publicIngestion
    publicNetworkAccessForQuery: publicQueries
  }

  // The usage events. Tables of Application Insights have 90 days of their own where nobody says more.
  resource events 'tables' = {
    name: 'AppEvents'
    properties: { retentionInDays: retentionDays }
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: '${name}-insights'
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    IngestionMode: 'LogAnalytics'
    WorkspaceResourceId: workspace.id
    DisableLocalAuth: true
    // Ingestion sampling would falsify every bill.
    SamplingPercentage: 100
    publicNetworkAccessForIngestion: publicIngestion
    publicNetworkAccessForQuery: publicQueries
  }

  // 100 GB where nobody says more.
  resource cap 'pricingPlans@2017-10-01' = {
    name: 'current'
    properties: { planType: 'Basic', cap: dailyCapGb }
  }
}

resource publishes 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(insights.id, publisherPrincipalId, builtInRoles.monitoringMetricsPublisher)
  scope: insights
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', builtInRoles.monitoringMetricsPublisher)
    principalId: publisherPrincipalId
    principalType: 'ServicePrincipal'
  }
}

@description('Resource id of the workspace.')
output workspaceId string = workspace.id

@description('Name of the workspace.')
output workspaceName string = workspace.name

@description('Resource id of Application Insights.')
output insightsId string = insights.id

@description('Name of Application Insights.')
output insightsName string = insights.name

@description('Where Application Insights takes events. It opens nothing: local authentication is off.')
output connectionString string = insights.properties.ConnectionString
