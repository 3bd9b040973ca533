"""From a prepared tube and a template to fitted boundaries and the members they make.

=============================================== ======================================================================
``method``, ``methods/*``                       the contract of a gating method, and one file a method
``density``, ``tails``, ``valleys``,            what methods are made of: peaks of a histogram, cuts beside and between
``thresholds``, ``steadiness``, ``wording``     them, fits from cuts, stretches of time, words for people
``shoulders``, ``opinions``                     where a density stops falling steeply; what another rule says of a cut
``piles``                                       values piled up on the end of a detector's range
``mixtures``, ``mixture_fit``, ``ascent``,      normal and t components, their starts and number, uphill by EM; clusters
``clusters``, ``frames``                        made of them, and in which units
``controls``, ``leaks``, ``control_cuts``       what a control tells other tubes; where negatives end; the cut on them
``engine``, ``population``                      a template fitted on a tube, gate by gate; what a method may look at
``tree``, ``replay``, ``walk``                  a known tree checked, and applied again, in memory or block by block
``conditions``, ``leave_out``                   what a population asks of an event; its count with each marker left out
``training``                                    a boundary learned from reviewed tubes, scored on donors left out
``edits``, ``unedited``                         boundaries that a person moved, put into a fitted tree; taken out again
``live``, ``live_sides``, ``kept_columns``,     a tube held open while boundaries move: counts at once, because only
``unsettled``                                   events that change sides are looked at, and plots
``draws``, ``moves``, ``variants``, ``bits``,   the tree on redrawn and on moved boundaries: by how much these move,
``sensitivity``, ``moved_gates``                who could be on either side, and many replays at once as bits of a word
``geometry``, ``columns``, ``sieve``,            who is inside a gate: the definition, events as gates see them, and the
``raster``                                      fast way to the same
``views``, ``axis_views``, ``control_views``    what the report's plots need
=============================================== ======================================================================
"""
