/** Where the operator's socket is: in the state directory of the node. */
import { isAbsolute, join, resolve } from "node:path"

/** `sockaddr_un` of Linux holds 108 bytes with its final zero. Beyond, the system would cut the path. */
export const PATH_BYTES_MAX = 107

const SOCKET_NAME = "node.sock"

/** The state directory of a node that runs as a service. */
export const SERVICE_STATE = "/var/lib/clawmesh"

export const socketIn = (stateDirectory: string): string => join(stateDirectory, SOCKET_NAME)

export interface User {
  readonly env: { readonly [name: string]: string | undefined }
  readonly cwd: string
  readonly home: string
  readonly isRoot: boolean
}

/** The state directory that is meant when none is named: `$CLAWMESH_STATE`, or where the user's programs keep theirs. */
export const stateDirectory = ({ cwd, env, home, isRoot }: User): string => {
  const named = env["CLAWMESH_STATE"] ?? ""
  if (named !== "") return resolve(cwd, named)
  if (isRoot) return SERVICE_STATE
  // A relative path there is to be ignored (XDG Base Directory Specification).
  const states = env["XDG_STATE_HOME"] ?? ""
  return isAbsolute(states) ? join(states, "clawmesh") : join(home, ".local/state/clawmesh")
}
