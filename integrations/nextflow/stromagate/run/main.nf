process STROMAGATE_RUN {
    tag "${meta.id}"
    label 'process_medium'

    conda "${moduleDir}/environment.yml"
    container "stromagate:0.1.0"

    input:
    tuple val(meta), path(tubes), path(sheet)
    tuple val(template), path(template_file)

    output:
    tuple val(meta), path("${prefix}"), emit: results
    tuple val(meta), path("${prefix}/populations.csv"), emit: populations
    tuple val(meta), path("${prefix}/thresholds.csv"), emit: thresholds
    tuple val(meta), path("${prefix}/qc.csv"), emit: qc
    tuple val(meta), path("${prefix}.json"), emit: answer
    tuple val("${task.process}"), val('stromagate'), eval('stromagate --version'), emit: versions_stromagate, topic: versions

    when:
    task.ext.when == null || task.ext.when

    script:
    def args = task.ext.args ?: ''
    prefix = task.ext.prefix ?: "${meta.id}"
    def given = sheet ? "--sheet ${sheet}" : "${tubes}"
    def by = template_file ?: template
    """
    stromagate run \\
        ${given} \\
        --template ${by} \\
        --out ${prefix} \\
        --jobs ${task.cpus} \\
        --json \\
        ${args} \\
        > ${prefix}.json
    """

    stub:
    prefix = task.ext.prefix ?: "${meta.id}"
    """
    mkdir -p ${prefix}
    touch ${prefix}/index.html ${prefix}/run.json
    touch ${prefix}/populations.csv ${prefix}/thresholds.csv ${prefix}/qc.csv
    echo '{"ok": true}' > ${prefix}.json
    """
}
