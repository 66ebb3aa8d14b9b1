"""The GraphQL documents, each checked against the installed Dagster's schema by a test."""

from __future__ import annotations

_ERROR = """
fragment PythonErrorParts on PythonError {
  message className errorChain { error { message className } }
}
"""

LOCATION = (
    """
query Location($name: String!) {
  workspaceLocationEntryOrError(name: $name) {
    __typename
    ... on PythonError { ...PythonErrorParts }
    ... on WorkspaceLocationEntry {
      loadStatus
      locationOrLoadError {
        __typename
        ... on PythonError { ...PythonErrorParts }
        ... on RepositoryLocation {
          repositories {
            name
            jobs { name description }
            schedules { name cronSchedule executionTimezone scheduleState { id status } }
            sensors { name minIntervalSeconds sensorState { id status } }
            partitionSets { name pipelineName }
            assetNodes {
              assetKey { path } groupName kinds isPartitioned isMaterializable isObservable jobNames
              tags { key value } dependencyKeys { path }
              owners { __typename ... on UserAssetOwner { email } ... on TeamAssetOwner { team } }
            }
          }
        }
      }
    }
  }
  locationStatusesOrError { ... on WorkspaceLocationStatusEntries { entries { name } } }
}
"""
    + _ERROR
)

PARTITION_KEYS = """
query PartitionKeys($job: PipelineSelector!, $assets: [AssetKeyInput!]) {
  pipelineOrError(params: $job) {
    __typename
    ... on Pipeline { partitionKeysOrError(selectedAssetKeys: $assets) { partitionKeys } }
    ... on Error { message }
  }
}
"""

LAUNCH_RUN = (
    """
mutation LaunchRun($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on RunConfigValidationInvalid { errors { message } }
    ... on PythonError { ...PythonErrorParts }
    ... on Error { message }
  }
}
"""
    + _ERROR
)

LAUNCH_BACKFILL = (
    """
mutation LaunchBackfill($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on RunConfigValidationInvalid { errors { message } }
    ... on PythonError { ...PythonErrorParts }
    ... on Error { message }
  }
}
"""
    + _ERROR
)

RUN = """
query Run($id: ID!) {
  runOrError(runId: $id) {
    __typename
    ... on Run { status startTime endTime creationTime stepKeysToExecute }
    ... on Error { message }
  }
}
"""

RUN_PLAN = """
query RunPlan($id: ID!) {
  runOrError(runId: $id) { __typename ... on Run { executionPlan { steps { key } } } }
}
"""

RUN_LOG = (
    """
query RunLog($id: ID!, $cursor: String, $limit: Int) {
  logsForRun(runId: $id, afterCursor: $cursor, limit: $limit) {
    __typename
    ... on Error { message }
    ... on EventConnection {
      cursor hasMore
      events {
        __typename
        ... on MessageEvent { stepKey message eventType }
        ... on MaterializationEvent { assetKey { path } }
        ... on AssetCheckEvaluationEvent { evaluation { checkName success description assetKey { path } } }
        ... on ErrorEvent { error { ...PythonErrorParts } }
      }
    }
  }
}
"""
    + _ERROR
)

BACKFILL = (
    """
query Backfill($id: String!, $runs: Int) {
  partitionBackfillOrError(backfillId: $id) {
    __typename
    ... on PartitionBackfill {
      status timestamp endTimestamp
      runs(limit: $runs) { runId status }
      error { ...PythonErrorParts }
    }
    ... on Error { message }
  }
}
"""
    + _ERROR
)

DAEMONS = """
query Daemons {
  instance {
    daemonHealth { allDaemonStatuses { daemonType required healthy lastHeartbeatErrors { message } } }
  }
}
"""

OVERVIEW = """
query Overview($runs: Int!) {
  version
  runsOrError(limit: $runs) {
    __typename
    ... on Runs { results { runId jobName status startTime endTime creationTime } }
    ... on Error { message }
  }
}
"""

START_SENSOR = """
mutation StartSensor($selector: SensorSelector!) {
  startSensor(sensorSelector: $selector) {
    __typename
    ... on Error { message }
    ... on Sensor { sensorState { status } }
  }
}
"""

STOP_SENSOR = """
mutation StopSensor($id: String!) {
  stopSensor(id: $id) {
    __typename
    ... on Error { message }
    ... on StopSensorMutationResult { instigationState { status } }
  }
}
"""

START_SCHEDULE = """
mutation StartSchedule($selector: ScheduleSelector!) {
  startSchedule(scheduleSelector: $selector) {
    __typename
    ... on Error { message }
    ... on ScheduleStateResult { scheduleState { status } }
  }
}
"""

STOP_SCHEDULE = """
mutation StopSchedule($id: String!) {
  stopRunningSchedule(id: $id) {
    __typename
    ... on Error { message }
    ... on ScheduleStateResult { scheduleState { status } }
  }
}
"""

CANCEL_RUN = """
mutation CancelRun($id: String!) {
  terminateRun(runId: $id, terminatePolicy: SAFE_TERMINATE) {
    __typename
    ... on TerminateRunFailure { message }
    ... on Error { message }
  }
}
"""

CANCEL_BACKFILL = """
mutation CancelBackfill($id: String!) {
  cancelPartitionBackfill(backfillId: $id) {
    __typename
    ... on Error { message }
  }
}
"""

DOCUMENTS = {name: text for name, text in list(globals().items()) if name.isupper() and not name.startswith("_")}
"""Every document by name."""
