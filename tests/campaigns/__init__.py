"""Long campaigns against the whole program: many tubes, kills, full disks, other surroundings (``make soak``).

======================================= ==============================================================================
``test_many_tubes``                     200 tubes, five damaged: 195 results, five explained failures
``test_killed_at_random``               ``kill -9`` of runs, workers, reports at random moments; two runs at once
``test_killed_at_steps``                a kill, and a full disk, at every single step of work with the disk
``test_full_disk``                      a small disk that really fills up under two workers
``test_same_bytes``                     workers, languages, time zones, hash seeds, processors, no network
``test_memory``                         peak memory by size of file and number of workers; none left behind by tubes
``batches``, ``folders``                simulated tubes and ways to damage them; a folder against the undisturbed one
``figures``                             what a campaign prints
``processes``, ``step_server``          runs as processes of their own; forks that are hurt at one step
======================================= ==============================================================================

A file under a final name counts as whole only when it is, byte for byte, the one that an undisturbed run leaves.
"""
