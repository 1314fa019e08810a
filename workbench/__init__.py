"""Research workbench for text-to-speech: does the audio say the text, does it sound good, and how sure are we?

The rooms, ground floor first; a room imports only from floors below its own:

0  ``errors``, ``config``, ``audio``, ``clips``, ``text``
1  ``engines``, ``tts``, ``stt``, ``judges``, ``store``
2  ``verdicts``, ``stats``
3  ``scan``
5  ``report``, ``cli``

Importing the package imports none of its rooms, and no room imports a model library before an engine loads.
"""

__version__ = "0.1.0"
