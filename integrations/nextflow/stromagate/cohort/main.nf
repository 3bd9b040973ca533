process STROMAGATE_COHORT {
    tag "${meta.id}"
    label 'process_single'
    // Pages lead to the reports of the runs. Links to work folders would be followed, and lead there.
    stageInMode 'copy'

    conda "${moduleDir}/environment.yml"
    container "stromagate:0.1.0"

    input:
    tuple val(meta), path(runs, stageAs: 'runs/*')
    path calibration

    output:
    tuple val(meta), path("${prefix}"), emit: results
    tuple val(meta), path("${prefix}/cohort.csv"), emit: table
    tuple val(meta), path("${prefix}/cohort_wide.csv"), emit: wide
    tuple val(meta), path("${prefix}_cohort.json"), emit: answer
    tuple val("${task.process}"), val('stromagate'), eval('stromagate --version'), emit: versions_stromagate, topic: versions

    when:
    task.ext.when == null || task.ext.when

    script:
    def args = task.ext.args ?: ''
    prefix = task.ext.prefix ?: "${meta.id}"
    def by = calibration ? "--calibration ${calibration}" : ''
    """
    stromagate cohort \\
        ${runs} \\
        --out ${prefix} \\
        --json \\
        ${by} \\
        ${args} \\
        > ${prefix}_cohort.json
    """

    stub:
    prefix = task.ext.prefix ?: "${meta.id}"
    """
    mkdir -p ${prefix}
    touch ${prefix}/cohort.html ${prefix}/cohort.csv ${prefix}/cohort_wide.csv ${prefix}/cohort.json
    echo '{"ok": true}' > ${prefix}_cohort.json
    """
}
