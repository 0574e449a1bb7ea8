"""Settings that stand in files: secrets, as service managers hand them over.

systemd's credentials, Docker's secrets and a Secret that Kubernetes mounts are a folder with a file
for each. What is in a file is neither in ``docker inspect`` nor in a unit that everybody may read.
"""

from collections.abc import Collection, Mapping
from pathlib import Path

from app.errors import WrongSetting


def settings_in_files(
    environment: Mapping[str, str], *, prefix: str, names: Collection[str]
) -> dict[str, str]:
    """What the files in SECRETS_DIR set, by the name of the setting: ``{"key_pepper": "…"}``.

    A file is named as the variable is. The variable wins, and an empty file sets nothing, as an
    empty variable. Raises WrongSetting where the folder or a file cannot be read, or a file of ours
    is no setting: a secret that is not found is worse than none, as another database would be used.
    """
    variable = f"{prefix}SECRETS_DIR"
    if not environment.get(variable):
        return {}
    folder = Path(environment[variable])
    told = {}
    try:
        for file in sorted(folder.iterdir()):
            name = file.name.removeprefix(prefix)
            if name == file.name:
                continue
            if name.lower() not in names or name != name.upper():
                raise WrongSetting(f"{variable}: {file} is no setting")
            value = "" if environment.get(file.name) else file.read_text("utf-8").strip()
            if value:
                told[name.lower()] = value
    except OSError as error:
        raise WrongSetting(
            f"{variable}: {error.filename or folder} cannot be read ({error.strerror})"
        ) from None
    except UnicodeDecodeError:
        raise WrongSetting(f"{variable}: a file in {folder} is no text") from None
    return told
