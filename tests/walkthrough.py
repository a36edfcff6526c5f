#!/usr/bin/env python3
"""Runs the commands of docs/guide.md and README.md and compares their output with the documents.

Every ```sh block that directly follows a comment `<!-- expect: … -->` is run, in order and in one
bash session per document, against a server that this script starts in a new directory. A block
passes if

* its last command succeeds,
* its output contains every string of the comment (separated by spaces; strings with spaces are
  quoted),
* its output contains every line of the ```text block that directly follows, in the same order;
  `…` matches anything.

docs/guide.md must have such blocks, README.md may have some. The binary is
$CUSTOMER_INTEGRATION_BIN, or else the debug build.
"""

import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path

# before the imports below, so that they leave no __pycache__ in the checkout
sys.dont_write_bytecode = True
from support.service import binary_of, clean_environment  # noqa: E402
from support.waiting import Failed  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
# with whether the document must have blocks
DOCUMENTS = {"docs/guide.md": True, "README.md": False}
START_SECONDS = 60
BLOCKS_SECONDS = 120
STOP_SECONDS = 30
BLOCK = re.compile(
    r"^<!-- expect:(?P<expect>.*?)-->\n```sh\n(?P<code>.*?)^```\n(?:\n```text\n(?P<shown>.*?)^```\n)?",
    re.MULTILINE | re.DOTALL,
)
EXPECT = re.compile(r"^<!-- expect:", re.MULTILINE)


@dataclass
class Block:
    document: str
    line: int
    expect: list[str]
    code: str
    shown: list[str] = field(default_factory=list)

    @property
    def title(self) -> str:
        commands = [
            line for line in self.code.splitlines() if line.strip() and not line.startswith("#")
        ]
        return f"{self.document}:{self.line}: {(commands or ['(empty)'])[-1].strip()[:90]}"


def read_blocks(document: str, required: bool) -> list[Block]:
    text = (ROOT / document).read_text(encoding="utf-8")
    blocks = [
        Block(
            document=document,
            line=text.count("\n", 0, match.start("code")) + 1,
            expect=split_words(match["expect"]),
            code=match["code"],
            shown=[line for line in (match["shown"] or "").splitlines() if line.strip()],
        )
        for match in BLOCK.finditer(text)
    ]
    if len(blocks) != len(EXPECT.findall(text)):
        raise Failed(f"an expect comment of {document} is not directly followed by a ```sh block")
    if required and not blocks:
        raise Failed(f"{document} has no block to run")
    return blocks


def split_words(text: str) -> list[str]:
    """Splits at spaces; removes single quotes, and double quotes around words with spaces."""
    words = re.findall(r"'[^']*'(?=\s|$)|\"[^\"]*\"(?=\s|$)|\S+", text)
    return [word[1:-1] if is_quoted(word) else word for word in words]


def is_quoted(word: str) -> bool:
    if len(word) < 2 or word[0] != word[-1]:
        return False
    return word[0] == "'" or (word[0] == '"' and " " in word)


class Server:
    """`serve --demo` on a free port, with its data in `directory`."""

    def __init__(self, binary: Path, directory: Path) -> None:
        self.environment = clean_environment({})
        self.log = directory / "server.log"
        self.exports: dict[str, str] = {}
        self.greeted = threading.Event()
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [binary, "serve", "--demo"],
                cwd=directory,
                env={**self.environment, "BIND_ADDRESS": "127.0.0.1:0"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                encoding="utf-8",
            )
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self) -> None:
        """Reads until the end of the output, so that the server never blocks on a full pipe."""
        for line in self.process.stdout:
            if match := re.match(r"export (BASE|TOKEN)=(\S+)$", line):
                self.exports[match[1]] = match[2]
                if len(self.exports) == 2:
                    self.greeted.set()
        self.greeted.set()

    def wait(self) -> dict[str, str]:
        if not self.greeted.wait(START_SECONDS) or len(self.exports) < 2:
            raise Failed(
                f"the server did not print BASE and TOKEN; its log:\n{self.log.read_text(errors='replace')}"
            )
        return self.exports

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def run_blocks(
    blocks: list[Block], directory: Path, environment: dict[str, str]
) -> list[str | None]:
    """Runs all blocks in one bash session; returns the reason of failure for each, or None."""
    mark = secrets.token_hex(16)
    script = ["set -u"]
    for number, block in enumerate(blocks):
        (directory / f"block-{number}.sh").write_text(block.code, encoding="utf-8")
        script.append(f"source ./block-{number}.sh; printf '\\n%s %d\\n' {mark} $?")
    (directory / "session.sh").write_text("\n".join(script) + "\n", encoding="utf-8")
    output = directory / "session.out"
    with output.open("wb") as out:
        bash = subprocess.Popen(
            ["bash", "--noprofile", "--norc", "session.sh"],
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            bash.wait(BLOCKS_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        finally:
            if bash.poll() is None:
                os.killpg(bash.pid, signal.SIGKILL)
                bash.wait()
    text = output.read_text(encoding="utf-8", errors="replace").replace("\r", "")
    parts = re.split(rf"\n{mark} (\d+)\n", text)
    outputs, statuses = parts[0::2], parts[1::2]
    failures: list[str | None] = []
    for number, block in enumerate(blocks):
        if number < len(statuses):
            failures.append(check(block, outputs[number], int(statuses[number])))
        elif number == len(statuses):
            failures.append(f"the session ended or hung here\n{indent(outputs[-1])}")
        else:
            failures.append("not run, because the session ended before")
    return failures


def check(block: Block, output: str, status: int) -> str | None:
    """Returns the reasons of failure, or None."""
    reasons = [f"exit status {status}"] if status else []
    reasons += [f"expected, but not printed: {word}" for word in block.expect if word not in output]
    lines = iter(output.splitlines())
    for shown in block.shown:
        pattern = ".*".join(map(re.escape, shown.rstrip().split("…")))
        if not any(re.fullmatch(pattern, line.rstrip()) for line in lines):
            reasons.append(f"shown, but not printed (in this order): {shown}")
            break
    return "\n".join([*reasons, "output:", indent(output)]) if reasons else None


def indent(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.strip().splitlines())


def run_document(blocks: list[Block], binary: Path) -> list[str | None]:
    """Runs the blocks of a document against a new server."""
    with tempfile.TemporaryDirectory(prefix="walkthrough-") as temporary:
        directory = Path(temporary)
        server = Server(binary, directory)
        try:
            exports = server.wait()
            # no proxy for requests to the server on this machine
            environment = {
                **server.environment,
                **exports,
                "NO_PROXY": "127.0.0.1",
                "no_proxy": "127.0.0.1",
            }
            return run_blocks(blocks, directory, environment)
        except Failed as error:
            print(f"walkthrough: {error}")
            return ["not run, because the server did not start"] * len(blocks)
        finally:
            server.stop()


def main() -> int:
    # SIGTERM runs the `finally` blocks, which stop the server
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        documents = [read_blocks(document, required) for document, required in DOCUMENTS.items()]
        binary = binary_of(ROOT)
    except (Failed, OSError) as error:
        print(f"walkthrough: {error}")
        print("0 passed, 0 failed")
        return 1
    blocks = [block for document in documents for block in document]
    failures = [
        failure for document in documents if document for failure in run_document(document, binary)
    ]
    for block, failure in zip(blocks, failures, strict=True):
        print(f"{'FAIL' if failure else 'ok  '} {block.title}")
        if failure:
            print(indent(failure))
    failed = sum(failure is not None for failure in failures)
    print(f"{len(blocks) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
