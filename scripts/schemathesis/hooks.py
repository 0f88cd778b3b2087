"""What schemathesis has to be told of this API that a document cannot say."""

import schemathesis

# How many tasks, experiments and presets there are at the beginning, or nearly.
THERE = 4

# The run's own token is among the first.
OWN_TOKENS = 100


@schemathesis.hook
def before_call(context, case, kwargs):
    """Streams never end, and a fuzzer waits for the end: what is asked for is the log so far."""
    if case.query and "follow" in case.query and str(case.query["follow"]).lower() in ("true", "1"):
        case.query["follow"] = "false"


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    """Every other number becomes one of something that there is: a random one never is."""
    if not path_parameters or "/tokens/" in context.operation.path:
        return path_parameters
    return {name: near(value) for name, value in path_parameters.items()}


def near(value):
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return value // 2 % THERE + 1 if is_number and value % 2 else value


@schemathesis.hook
def filter_case(context, case):
    """Who revokes its own token tests nothing any more."""
    if case.operation.label != "DELETE /api/auth/tokens/{id}":
        return True
    try:
        return int(case.path_parameters["id"]) > OWN_TOKENS
    except (KeyError, TypeError, ValueError):
        return True


@schemathesis.check
def no_server_error(context, response, case):
    """The service must not fail. There is neither a Docker daemon nor a cluster, and their routes
    may say only that."""
    if response.status_code < 500:
        return
    missing = {"/api/docker/": "docker_unreachable", "/api/kubernetes/": "no_cluster"}
    for route, code in missing.items():
        if case.operation.path.startswith(route):
            assert response.status_code == 503 and response.json()["code"] == code, "a server error"
            return
    raise AssertionError("a server error")
