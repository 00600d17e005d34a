// Token metrics for dashboards. They are estimated for streams and never the bill. The diagnostic that carries them brings
// each call's request and dependency too (without headers and bodies): above some hundred calls a second leave it off.
// Dimensions are kept only once somebody switches on "Enable alerting on custom metric dimensions" on the component (Usage and
// estimated costs): the types of Azure's resources do not have that property.

@description('Required. Name of the API Management service.')
param apimName string

@description('Required. Name of the API. Its own diagnostic applicationinsights is replaced.')
param apiName string

@description('Required. Principal id of the gateway\'s identity.')
param principalId string

@description('Required. Name of Application Insights.')
param insightsName string

var builtInRoles = {
  monitoringMetricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb'
}

resource component 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource publishes 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(component.id, principalId, builtInRoles.monitoringMetricsPublisher)
  scope: component
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', builtInRoles.monitoringMetricsPublisher)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

resource apim 'Microsoft.ApiManagement/service@2024-05-01' existing = {
  name: apimName

  resource api 'apis' existing = { name: apiName }

  resource logger 'loggers' = {
    name: 'chargeback-insights'
    properties: {
      loggerType: 'applicationInsights'
      resourceId: component.id
      // An address: local authentication is off, and the gateway's identity publishes.
      credentials: { connectionString: component.properties.ConnectionString, identityClientId: 'SystemAssigned' }
    }
    dependsOn: [publishes]
  }
}

var queryHidden = { dataMasking: { queryParams: [{ value: '*', mode: 'Hide' }] } }

// No headers and no bodies: they hold keys and prompts. A query may hold a key too.
resource diagnostic 'Microsoft.ApiManagement/service/apis/diagnostics@2024-05-01' = {
  parent: apim::api
  name: 'applicationinsights'
  properties: {
    loggerId: apim::logger.id
    metrics: true
    sampling: { samplingType: 'fixed', percentage: 100 }
    verbosity: 'error'
    frontend: { request: queryHidden }
    backend: { request: queryHidden }
  }
}
