"""`python -m ops.compose.health PORT`: ask this container's role whether it is ready; the image has no curl."""

import sys
import urllib.error
import urllib.request

SECONDS = 4.0


def main(port: str) -> int:
    """0 when `/readyz` says so; else 1, having said what is waited for."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{int(port)}/readyz", timeout=SECONDS):
            return 0
    except urllib.error.HTTPError as error:
        print(error.read().decode(errors="replace").strip())
    except OSError as error:
        print(error)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
