"""The workflow with its files in an S3 bucket, of a server on this machine, as on Kubernetes.

make test TESTS=tests/storage.py
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import boto3
import pytest
import yaml
from moto.server import ThreadedMotoServer
from repository import ROOT, SMOKE, copy_of_the_repository
from snakemake.utils import update_config
from stand_in_cluster import Cluster, serving

BUCKET = "pixelspace"
PREFIX = "paper"
RESULTS = "results-smoke"
KEYS = {"ACCESS_KEY": "access", "SECRET_KEY": "secret"}
TARGETS = (
    f"{RESULTS}/claims.json",
    f"{RESULTS}/figures/efl-code_frequency.pdf",
    f"{RESULTS}/figures/efl-diagram.pdf",
    f"{RESULTS}/figures/efl-projections.pdf",
    f"{RESULTS}/figures/efl-samples.pdf",
    f"{RESULTS}/figures/mnist-training.pdf",
    f"{RESULTS}/sweeps/noise_and_starts.csv",
)


def a_part_of_the_paper(folder: Path) -> Path:
    """A copy of the repository with all of the small letters, and the networks of the others.

    So it has every way that leads from files of the repository, or of the bucket, to a step.
    """
    copy_of_the_repository(folder)
    config = yaml.safe_load((folder / "config/config.yaml").read_text(encoding="utf-8"))
    update_config(config, yaml.safe_load((folder / SMOKE).read_text(encoding="utf-8")))
    for name in ("mnist", "meme"):
        config["experiments"][name] |= {"projections": {}, "measures": {}}
    (folder / "config/config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    claims = yaml.safe_load((folder / "report/claims.yaml").read_text(encoding="utf-8"))
    kept = {name: own for name, own in claims.items() if own["number"].startswith("efl.")}
    (folder / "report/claims.yaml").write_text(yaml.safe_dump(kept), encoding="utf-8")
    return folder


def snakemake(folder: Path, *arguments: str, targets=TARGETS, **environment: str) -> str:
    """Build the targets and return what the terminal shows."""
    run = subprocess.run(
        [sys.executable, "-m", "snakemake", *targets, "--cores", "2", *arguments],
        cwd=folder,
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        | {f"SNAKEMAKE_STORAGE_S3_{key}": value for key, value in KEYS.items()}
        | environment,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout + run.stderr


@pytest.fixture(scope="module")
def server():
    """The address of an S3 server."""
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    moto.start()
    yield "http://{}:{}".format(*moto.get_host_and_port())
    moto.stop()


@pytest.fixture(scope="module")
def storage(server) -> list[str]:
    """The settings of the cluster, but for the executor, with that server."""
    return [
        *("--profile", "profiles/kubernetes", "--executor", "local"),
        *("--default-storage-prefix", f"s3://{BUCKET}/{PREFIX}"),
        *("--storage-s3-endpoint-url", server),
    ]


@pytest.fixture(scope="module")
def built(tmp_path_factory, storage) -> Path:
    """A folder that a build was run in whose files are in the bucket."""
    folder = a_part_of_the_paper(tmp_path_factory.mktemp("remote") / "paper")
    snakemake(folder, *storage)
    return folder


@pytest.fixture(scope="module")
def bucket(server, built):
    """What that build left in the bucket."""
    return bucket_named(BUCKET, server)


def bucket_named(name: str, server: str):
    return boto3.resource(
        "s3",
        endpoint_url=server,
        aws_access_key_id=KEYS["ACCESS_KEY"],
        aws_secret_access_key=KEYS["SECRET_KEY"],
    ).Bucket(name)


def artifacts_in(bucket) -> dict[str, bytes]:
    stored = {
        summary.key.removeprefix(f"{PREFIX}/"): summary.get()["Body"].read()
        for summary in bucket.objects.all()
    }
    return {key: content for key, content in stored.items() if "/logs/" not in key}


def test_all_artifacts_are_in_the_bucket_with_the_bytes_of_a_build_without_it(
    tmp_path, built, bucket
):
    local = a_part_of_the_paper(tmp_path / "paper")
    snakemake(local)
    files = [file for file in (local / RESULTS).rglob("*") if file.is_file()]
    expected = {
        file.relative_to(local).as_posix(): file.read_bytes()
        for file in files
        if not {"logs", "machine", ".sha256", ".lock", ".steps"} & set(file.parts)
        # The store of a sweep's networks, which is no rule's output.
        and file.parent.name != "points"
    }
    stored = artifacts_in(bucket)
    assert stored.keys() == expected.keys()
    assert [name for name in stored if stored[name] != expected[name]] == []
    assert {path.name for path in (built / RESULTS).iterdir()} == {"logs"}


def test_from_another_folder_only_what_the_bucket_lacks_is_built(tmp_path, storage, built, bucket):
    before = artifacts_in(bucket)
    folder = tmp_path / "paper"
    shutil.copytree(
        built, folder, symlinks=True, ignore=shutil.ignore_patterns(".snakemake", RESULTS)
    )
    assert "Nothing to be done" in snakemake(folder, *storage)
    for suffix in ("pdf", "png", "txt"):
        bucket.Object(f"{PREFIX}/{RESULTS}/figures/efl-projections.{suffix}").delete()
    assert "[1/1]" in snakemake(folder, *storage)
    assert artifacts_in(bucket) == before


def test_pods_get_the_sources_and_leave_their_files_in_the_bucket(tmp_path, server):
    folder = a_part_of_the_paper(tmp_path / "paper")
    for command in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    programs = tmp_path / "programs"
    programs.mkdir()
    # The plugin that each pod would install is there.
    (programs / "pip").symlink_to(shutil.which("true"))
    own = Path(sys.executable).parent
    cluster = Cluster(tmp_path / "pods", path=f"{programs}:{own}:{os.environ['PATH']}")
    with serving(cluster, tmp_path / "kubeconfig"):
        snakemake(
            folder,
            *("--profile", "profiles/kubernetes", "--container-image", "none"),
            *("--default-storage-prefix", "s3://cluster/paper"),
            *("--storage-s3-endpoint-url", server),
            *("--precommand", f"cp -r {ROOT}/data ."),
            targets=[f"{RESULTS}/efl/0/training.json", f"{RESULTS}/mnist/dataset.h5"],
            KUBECONFIG=str(tmp_path / "kubeconfig"),
        )
    steps = {re.search(r"--target-jobs '(\S+)'", command)[1] for command in cluster.commands}
    # The digits are made here: they come from files of the repository.
    assert steps == {"make_dataset:experiment=efl", "train_network:experiment=efl,replicate=0"}
    stored = {summary.key for summary in bucket_named("cluster", server).objects.all()}
    for name in ("efl/dataset.h5", "efl/0/network.weights.h5", "mnist/dataset.h5"):
        assert f"paper/{RESULTS}/{name}" in stored
