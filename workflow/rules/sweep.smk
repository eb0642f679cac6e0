rule compute_points:
    input:
        datasets=datasets_of_points,
    output:
        points=f"{RESULTS}/points/jobs/{{points}}.json",
    log:
        f"{RESULTS}/logs/compute_points/{{points}}.log",
    # Long steps first, so that short ones fill the cores at the end.
    priority: 2
    threads: 1
    resources:
        mem_mb=3000,
        runtime=minutes_of_points,
    params:
        images=images_of_points,
        points=lambda wildcards: {
            point.key: point.settings for point in jobs()[wildcards.points]
        },
        failures=failures_of_points,
        code=code("compute_points", modules_of_points),
    message:
        "train and measure networks of the sweep {wildcards.points}"
    script:
        "../../scripts/compute_points.py"


rule collect_sweep:
    input:
        points=jobs_of_sweep,
        repeated=repeated_by_sweep,
    output:
        table=f"{RESULTS}/sweeps/{{sweep}}.csv",
    log:
        f"{RESULTS}/logs/collect_sweep/{{sweep}}.log",
    retries: 0
    params:
        networks=networks_of_sweep,
        measures=lambda wildcards: CONFIG.sweeps[wildcards.sweep].measures,
        code=code("collect_sweep"),
    message:
        "collect the sweep {wildcards.sweep}"
    script:
        "../../scripts/collect_sweep.py"


# After the table and not with it: which numbers a measure gives is known when it was taken, and a
# sweep that is to show another has its table all the same.
rule summarize_sweep:
    input:
        points=jobs_of_sweep,
        repeated=repeated_by_sweep,
        table=rules.collect_sweep.output.table,
    output:
        summary=f"{RESULTS}/sweeps/{{sweep}}.json",
    log:
        f"{RESULTS}/logs/summarize_sweep/{{sweep}}.log",
    retries: 0
    params:
        networks=networks_of_sweep,
        shows=lambda wildcards: CONFIG.sweeps[wildcards.sweep].shows,
        measures=lambda wildcards: CONFIG.sweeps[wildcards.sweep].measures,
        code=code("summarize_sweep"),
    message:
        "sum up the sweep {wildcards.sweep}"
    script:
        "../../scripts/summarize_sweep.py"
