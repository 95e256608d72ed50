/** What `clawmesh help` prints: every command and flag that `Arguments.ts` reads. */
import { roles } from "./Arguments.ts"

export const help = `Shows and changes what the clawmesh-node on this machine does.

  clawmesh init                       the identity of this device, made once
      --mesh NAME                     and a mesh that it founds, as its planner
      --name NAME  --role ROLE  --second
  clawmesh invite                     let one device in: shows a code, once good, for five minutes
      --role ROLE  --may ACTUATOR     as what, viewer if nothing is said, and what it may move
      --name NAME  --for 5m           how it is called here, and for how long, a day at most
      --file FILE  --qr  --no-wait    the invite as a file; as a QR; without waiting for what comes of it
      --shut                          nobody is invited any more
  clawmesh join CODE                  the other end of it, on the new device, before its node runs
      --at ADDRESS:PORT  --name NAME  CODE may be a file with an invite, or what the QR holds
  clawmesh status                     this node and the mesh, one screen
  clawmesh peers [NAME]               one line each, or everything about one
  clawmesh events [-f]                what happened; -f goes on telling
      --since 1h  --kind peer,leader
      --about NAME                    of a device, of something that moves, or of a proposal
  clawmesh world                      what the mesh knows, with its age and how far to trust it
      --zone Z  --kind observation  --source NAME
  clawmesh farm [ZONE|ASSET]          the farm, zone by zone: what is measured, what moves, what waits
  clawmesh trace FRAME                what led to a frame, and what came of it
  clawmesh ping NAME [--count N]      find, dial, shake hands, echo: one line each
  clawmesh doctor                     look at this machine and this node, running or not, and say what to do
      --config FILE  --strict         the node.yaml that is meant; warnings are problems, too
      --fix                           mend what can be undone, and say each command
  clawmesh logs [-f]                  what the service has said, as journalctl keeps it
      --since 1h
  clawmesh wait ready                 until the node runs; also wait leader, wait peer NAME
      --timeout 2m                    30s, if left out
  clawmesh actuators                  what this node moves: state, hold, and who has the lease
  clawmesh set ACTUATOR STATE         have it moved, here or on another device, at a person's word
      --for 20m  --again
  clawmesh propose ACTUATOR STATE     propose that it is moved, here or on another device
      --for 20m  --because FRAME,FRAME  --again  --by PERSON
  clawmesh proposals [list]           what waits for a person; --all: and what became of the rest
  clawmesh proposals show ID          what it would do, and what it rests on
  clawmesh proposals approve ID       have it done: its owner carries it out, once
      --by PERSON  --shown STATE      as whom; only if the actuator still is as it was seen
      --confirm NAME                  at level L3: the name of what is moved; a terminal asks for it
  clawmesh proposals reject ID        say no
      --by PERSON
  clawmesh person                     your own key, as node.yaml has it; with one, your decisions are signed with it
  clawmesh person new NAME            make one
  clawmesh hold [GROUP]               make safe what this node moves, and keep it so
      --of ACTUATOR                   what whichever device moves; it is released there
  clawmesh release [GROUP]            let go of it again
  clawmesh audit                      what was moved, refused and decided here, and whether the record is whole
      --since 1h
  clawmesh suspend                    this planner hands over and does not lead, while its node runs
  clawmesh resume                     it may again
  clawmesh trust list                 whom this node trusts, and who else is near
  clawmesh trust add ID --role ROLE   trust a device; say the same on the device
      --name NAME  --key KEY  --gen1  --may ACTUATOR
  clawmesh trust show NAME            everything about one
  clawmesh trust pending              who is invited, and who else is near
  clawmesh trust rename NAME NEW      call it otherwise here
  clawmesh trust revoke NAME          trust it no longer, also trust remove: its connection ends now
  clawmesh electors [list]            who elects, and which list of them waits to be in force
  clawmesh electors add NAME          also remove NAME, replace OLD NEW, readmit NAME (which lost its journal):
                                      one change, signed where the operator key is kept, and all nodes follow
  clawmesh bundle [FILE]              pack what this node can show of an incident into one file, without secrets:
                                      its recording, configuration, status, events and versions
  clawmesh replay FILE                do again what a recording holds, and see whether the same comes of it:
                                      a bundle, one file of a recording, or a state directory
  clawmesh completion SHELL           for bash, zsh or fish: source <(clawmesh completion bash)
  clawmesh version
  clawmesh help

  NAME is a name or a whole id, never a part of one. ID is one such as P-4F2K, or the whole one.
  PERSON is the user of this machine, if left out.
  ROLE is one of ${roles}.

  --json          documents for programs, each with its $type
  --quiet, -q     only the answer
  --no-color      so does NO_COLOR
  --state DIR     the state directory of the node; else $CLAWMESH_STATE, or the user's own

Exit codes
  0   done                                       4   not allowed
  1   done; the answer is no                     5   no such thing, or the name fits several
  2   wrong use                                  6   the mesh says no, for the reason that is told
  3   the node does not answer                   7   timed out
                                                 70  a defect of clawmesh
`
